"""Nodes of the thesaurus, and the substances they hold for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.solutions.pharmacy import small as edition

from lab39.core.errors import InputError
from lab39.solutions.pharmacy import graph as graphs
from lab39.solutions.pharmacy.model import Moiety, Product, Route
from lab39.solutions.pharmacy.nodes import knowledge
from lab39.solutions.pharmacy.normal import fold


def moiety(key):
    return Moiety(key, key)


def holds(graph, key, node, **known):
    """None: the node may hold; True: it does; False: it does not."""
    side = graph.side(edition.line(key, **known), moiety(key))
    number = graph.node(node)
    if not side.nodes >> number & 1:
        return False
    return None if number in side.gates else True


def test_a_substance_has_its_own_node_and_its_classes(small):
    assert small.graph.nodes_of(moiety("warfarine")) == ("ANTIVITAMINES K",)
    assert small.graph.nodes_of(moiety("ibuprofene")) == ("IBUPROFENE",)
    assert small.graph.moieties_of("ANTIVITAMINES K") == ("fluindione", "warfarine")


def test_a_substance_without_an_interaction_is_known_and_a_foreign_one_is_not(small):
    assert small.graph.listed(moiety("paracetamol"))
    assert small.graph.nodes_of(moiety("paracetamol")) == ()
    assert not small.graph.listed(moiety("zorglubine"))


def test_others_of_a_class_are_the_class(small):
    assert small.graph.nodes_of(moiety("zolpidem")) == ("AUTRES MÉDICAMENTS SÉDATIFS", "MÉDICAMENTS SÉDATIFS")


def test_an_insulin_that_came_after_the_edition_is_insulin(small):
    assert small.graph.nodes_of(moiety("insuline detemir")) == ("INSULINE",)
    assert not small.graph.listed(moiety("insulinoide"))


def test_a_vaccine_that_calls_itself_live_and_attenuated_is_of_the_class(small):
    measles = moiety("virus de la rougeole souche schwarz vivant attenue")
    assert small.graph.nodes_of(measles) == ("VACCINS VIVANTS ATTÉNUÉS",)
    assert not small.graph.listed(moiety("virus de la grippe inactive"))


def test_iron_by_injection_is_iron_taken_so(small):
    node = "SELS DE FER PAR VOIE INJECTABLE"
    assert holds(small.graph, "fer", node, route=Route.INTRAVENOUS) is True
    assert holds(small.graph, "fer", node, route=Route.ORAL) is False
    assert holds(small.graph, "fer", node) is None


def test_a_local_route_is_left_out_but_for_the_cases_that_the_thesaurus_lists(small):
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", route=Route.ORAL) is True
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", route=Route.CUTANEOUS) is False
    assert holds(small.graph, "miconazole", "MICONAZOLE", route=Route.BUCCAL_LOCAL) is True
    assert holds(small.graph, "miconazole", "MICONAZOLE", route=Route.VAGINAL) is True
    eye_drops = "BÊTA-BLOQUANTS (SAUF ESMOLOL) (Y COMPRIS COLLYRES)"
    assert holds(small.graph, "timolol", eye_drops, route=Route.OCULAR) is True
    assert holds(small.graph, "timolol", eye_drops, route=Route.CUTANEOUS) is False


def test_what_a_local_route_left_out_is_told(small):
    assert small.graph.side(edition.line("ibuprofene", route=Route.CUTANEOUS), moiety("ibuprofene")).shut
    assert not small.graph.side(edition.line("miconazole", route=Route.VAGINAL), moiety("miconazole")).shut


def test_a_line_without_a_route_keeps_its_interactions_under_the_condition_of_a_systemic_route(small):
    both = (Route.ORAL, Route.CUTANEOUS)
    assert holds(small.graph, "ibuprofene", "IBUPROFENE") is True
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", routes=(Route.ORAL, Route.INTRAVENOUS)) is True
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", routes=both) is None
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", routes=(Route.CUTANEOUS,)) is None
    gel = Product("1", "gel", "gel", (Route.CUTANEOUS,), ())
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", product=gel) is False
    kit = Product("1", "kit", "kit", both, ())
    assert holds(small.graph, "ibuprofene", "IBUPROFENE", product=kit) is None


def test_a_node_for_anything_by_a_route_holds_for_what_is_taken_so(small):
    oral, vaginal = "MÉDICAMENTS ADMINISTRÉS PAR VOIE ORALE", "MÉDICAMENTS UTILISÉS PAR VOIE VAGINALE"
    assert holds(small.graph, "zorglubine", oral, route=Route.ORAL) is True
    assert holds(small.graph, "zorglubine", oral, route=Route.INTRAVENOUS) is False
    assert holds(small.graph, "zorglubine", oral) is None
    assert holds(small.graph, "zorglubine", vaginal, routes=(Route.ORAL,)) is False
    assert holds(small.graph, "zorglubine", vaginal, route=Route.VAGINAL) is True


def test_a_compiled_graph_is_the_same(tmp_path: Path, small):
    thesaurus = edition.thesaurus()
    graphs.write(thesaurus, tmp_path / "graph.json")
    loaded = graphs.load(thesaurus, tmp_path / "graph.json")
    assert (loaded.names, loaded.members, loaded.meets) == (
        small.graph.names,
        small.graph.members,
        small.graph.meets,
    )


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"format": 0}'])
def test_a_damaged_graph_says_what_to_do(tmp_path: Path, damage):
    (tmp_path / "graph.json").write_bytes(damage)
    with pytest.raises(InputError, match="delete this file"):
        graphs.load(edition.thesaurus(), tmp_path / "graph.json")


def test_a_graph_made_with_other_knowledge_is_made_again(tmp_path: Path):
    path = tmp_path / "graph.json"
    graphs.write(edition.thesaurus(), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"knowledge": "other"}))
    with pytest.raises(InputError):
        graphs.load(edition.thesaurus(), path)


def test_every_exception_says_where_it_was_read():
    import tomllib
    from importlib.resources import files

    folder = files("lab39.solutions.pharmacy").joinpath("knowledge")
    nodes = tomllib.loads(folder.joinpath("nodes.toml").read_text("utf-8"))
    local = tomllib.loads(folder.joinpath("local_routes.toml").read_text("utf-8"))
    rows = [*nodes["thing"], *nodes["any"], *nodes["members"], *nodes["link"], *nodes["same"], *nodes["condition"]]
    assert all(row["source"].strip() for row in [*rows, *local["allowed"]])


@pytest.mark.parametrize("month", ["2020-10", "2023-09"])
def test_golden_every_node_of_an_official_edition_is_accounted_for(official, month):
    graph = official(month).graph
    held = graphs.held_by(graph)
    assert [name for name, what in held.items() if not what] == []
    assert {name for name, what in held.items() if what == "route"} == {
        "MÉDICAMENTS ADMINISTRÉS PAR VOIE ORALE",
        "MÉDICAMENTS UTILISÉS PAR VOIE VAGINALE",
    }
    things = {name for name, what in held.items() if what == "thing"}
    assert things == {"PAMPLEMOUSSE (JUS ET FRUIT)", "PRÉSERVATIFS EN LATEX", "THÉINE"}
    assert len([name for rule in graph.rules for name in (rule.a, rule.b)]) == 2 * len(graph.rules)


@pytest.mark.parametrize(("month", "nodes"), [("2020-10", 625), ("2023-09", 644)])
def test_golden_nodes_of_an_official_edition(official, month, nodes):
    assert len(official(month).graph.names) == nodes


@pytest.mark.parametrize("month", ["2020-10", "2023-09"])
def test_golden_no_node_is_taken_for_a_substance_that_the_edition_does_not_print(official, month):
    """A class whose members were not found would stand alone under its own name."""
    graph, known = official(month).graph, knowledge()
    authored = {row.node for row in known.members} | set(known.others) | set(known.everything)
    authored |= {name for thing in known.things for name in thing.nodes}
    alone = [name for name in graph.names if graph.moieties_of(name) == (fold(name),) and len(name.split()) > 4]
    assert [name for name in alone if fold(name) not in authored] == []


@pytest.mark.parametrize(
    ("node", "has", "has_not"),
    [
        ("ANTIHYPERTENSEURS SAUF ALPHA-BLOQUANTS", "ramipril", "prazosine"),
        ("GLUCOCORTICOÏDES (SAUF HYDROCORTISONE)", "prednisone", "hydrocortisone"),
        ("MACROLIDES (SAUF SPIRAMYCINE)", "clarithromycine", "spiramycine"),
        ("NEUROLEPTIQUES ANTIPSYCHOTIQUES (SAUF CLOZAPINE)", "haloperidol", "clozapine"),
        ("ANTICORPS MONOCLONAUX (HORS ANTI-TNF ALPHA)", "rituximab", "infliximab"),
        ("TORSADOGÈNES (SAUF ARSÉNIEUX, ANTIPARASITAIRES, NEUROLEPTIQUES, MÉTHADONE...)", "sotalol", "methadone"),
        ("VALPROÏQUE (ACIDE) ET, PAR EXTRAPOLATION, VALPROMIDE", "valpromide", "lamotrigine"),
        ("PHÉNOBARBITAL (ET, PAR EXTRAPOLATION, PRIMIDONE)", "primidone", "phenytoine"),
        ("AUTRES MÉDICAMENTS AGISSANT SUR L'HÉMOSTASE", "clopidogrel", "alteplase"),
        ("SELS DE FER PAR VOIE INJECTABLE", "fer", "zinc"),
    ],
)
@pytest.mark.parametrize("month", ["2020-10", "2023-09"])
def test_golden_members_of_nodes_with_exceptions(official, month, node, has, has_not):
    members = official(month).graph.moieties_of(node)
    assert has in members
    assert has_not not in members
