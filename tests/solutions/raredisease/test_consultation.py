"""The consultation: signs told one by one; what is shown of them; its page as a function of a call."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.solutions.raredisease.conftest import lab_of
from tests.solutions.raredisease.tiny import ALPHA, BETA, FEVER, LENS, LONG, OLD_LONG, SEIZURE, VERY_LONG

from lab39.core.errors import InputError, PackMissingError
from lab39.core.faces import Call, Fields, Redirect, View
from lab39.core.lab import Lab
from lab39.core.text import Text
from lab39.solutions.raredisease import consultation as room
from lab39.solutions.raredisease import pages
from lab39.solutions.raredisease.consultation import Signs
from lab39.solutions.raredisease.knowing import Knowing, knowing
from lab39.solutions.raredisease.model import TermEvidence


@pytest.fixture
def known(tiny_lab: Lab) -> Knowing:
    return knowing(tiny_lab.packs)


# What was told


def test_what_is_told_last_of_a_sign_is_kept():
    told = Signs.told([LONG, LENS, LONG], [LENS])
    assert (told.present, told.absent) == ((LONG,), (LENS,))
    assert told.with_present(LENS) == Signs((LONG, LENS))
    assert told.with_absent(LONG) == Signs((), (LENS, LONG))
    assert told.without(LONG) == Signs((), (LENS,))
    assert told.without(FEVER) == told


def test_the_address_tells_the_same_again():
    told = Signs((LONG, LENS), (SEIZURE,))
    assert told.address == f"?present={LONG}&present={LENS}&absent={SEIZURE}"


def test_more_signs_than_a_consultation_holds_are_refused():
    many = [f"HP:{i:07}" for i in range(101)]
    assert len(Signs.told(many[:100], ()).present) == 100
    with pytest.raises(InputError):
        Signs.told(many[:60], many[60:])


# What is proposed


def test_words_in_both_languages_find_signs_that_were_not_told_yet(known: Knowing):
    for words in ("luxation", "ectopie cristallin", "dislocated lens"):
        found = [match.term for match in room.suggestions(known, words, Signs())]
        assert words == "luxation" or found[0] == LENS
    assert LENS not in [m.term for m in room.suggestions(known, "dislocated lens", Signs((LENS,)))]
    assert LENS not in [m.term for m in room.suggestions(known, "dislocated lens", Signs((), (LENS,)))]


# What is shown


def test_without_a_sign_that_is_present_nothing_is_ranked(known: Knowing):
    assert room.differential(known, Signs()) is None
    assert room.differential(known, Signs((), (SEIZURE,))) is None


def test_the_differential_says_what_a_record_with_these_signs_would(known: Knowing):
    shown = room.differential(known, Signs((LONG, LENS), (SEIZURE,)))
    assert shown is not None
    assert shown.why[0].disease.id == ALPHA
    assert shown.finding.bars[0].note == Text.same(ALPHA)
    assert sum(bar.value for bar in shown.finding.bars) == pytest.approx(1)
    assert shown.ranking.excluded == (SEIZURE,)


def test_a_sign_that_cannot_be_used_is_told_and_counts_for_nothing(known: Knowing):
    shown = room.differential(known, Signs((LONG, "HP:9999999", OLD_LONG)))
    assert shown is not None
    assert [each.term for each in shown.ranking.ignored] == ["HP:9999999"]
    assert shown.ranking.observed == (LONG,)
    alone = room.differential(known, Signs(("HP:9999999",)))
    assert alone is not None
    assert (alone.why, alone.questions) == ((), ())
    assert alone.finding.not_evaluated


def evidence(log_lr: float, **more: Any) -> TermEvidence:
    base: dict[str, Any] = {"term": LONG, "label": "", "kind": "observed", "matched": LONG, "matched_label": ""}
    base |= {"distance": 0, "frequency": None, "background": None, "statement": None}
    return TermEvidence(**(base | {"log_lr": log_lr} | more))


@pytest.mark.parametrize(
    ("log_lr", "fr", "en"),
    [
        (0.6931, "×\u202f2,0", "×\u202f2.0"),
        (-1.0986, "÷\u202f3,0", "÷\u202f3.0"),
        (5.8, "×\u202f330", "×\u202f330"),
        (9.3, "×\u202f11\u202f000", "×\u202f11,000"),
        (3.7, "×\u202f40", "×\u202f40"),
    ],
)
def test_a_weight_is_a_likelihood_ratio_of_two_figures(log_lr: float, fr: str, en: str):
    assert room.weight(evidence(log_lr)) == Text(fr, en)


def test_a_broader_sign_is_named_when_it_was_compared_instead(known: Knowing):
    assert room.through(known, evidence(1.0)) == Text("", "")
    assert room.through(known, evidence(1.0, term=VERY_LONG, distance=1)) == Text("Doigts longs", "Long fingers")
    assert room.through(known, evidence(1.0, matched="HP:0000118", distance=2)) == Text("", "")


# Its page


def call(lab: Lab, *, part: bool = False, **query: Any) -> Call:
    rows = [
        (name, each) for name, value in query.items() for each in ([value] if isinstance(value, str) else value)
    ]
    ctx = cast(Any, SimpleNamespace(packs=lab.packs))
    return Call(ctx=ctx, on=dt.date(2026, 11, 24), query=Fields(rows), part=part)


def view(lab: Lab, **more: Any) -> View:
    shown = pages.consultation(call(lab, **more))
    assert isinstance(shown, View)
    return shown


def test_without_script_a_button_leads_to_the_address_of_what_is_told(tiny_lab: Lab):
    answer = pages.consultation(call(tiny_lab, present=[LONG], add=LENS, q="dislocated"))
    assert answer == Redirect(f"/raredisease?present={LONG}&present={LENS}")
    answer = pages.consultation(call(tiny_lab, present=[LONG, LENS], drop=LONG))
    assert answer == Redirect(f"/raredisease?present={LENS}")


def test_with_htmx_it_renews_the_part_and_the_address(tiny_lab: Lab):
    shown = view(tiny_lab, present=[LONG], deny=SEIZURE, q="crise", part=True)
    assert shown.push == f"?present={LONG}&absent={SEIZURE}"
    assert shown.said.en == "Seizure: absent"
    assert shown.values["words"] == ""
    assert shown.values["signs"] == Signs((LONG,), (SEIZURE,))


def test_searching_proposes_and_changes_nothing(tiny_lab: Lab):
    shown = view(tiny_lab, present=[LONG], q="crise d'epilepsie", part=True)
    assert [match.term for match in shown.values["found"]][:1] == [SEIZURE]
    assert (shown.push, shown.values["signs"]) == ("", Signs((LONG,)))


def test_too_many_signs_are_told_and_the_page_stands(tiny_lab: Lab):
    shown = view(tiny_lab, present=[f"HP:{i:07}" for i in range(101)])
    assert shown.wrong is not None
    assert shown.values["shown"] is None


def test_without_the_french_labels_it_says_so(tmp_path):
    assert view(lab_of(tmp_path, french=False)).values["untranslated"] is not None


def test_without_its_pack_it_names_the_command_that_brings_it(tiny_lab: Lab):
    class Absent:
        def has(self, name: str) -> bool:
            return False

        def get(self, name: str) -> None:
            raise PackMissingError(Text("absent", "absent"))

    ctx = cast(Any, SimpleNamespace(packs=Absent()))
    with pytest.raises(PackMissingError):
        pages.consultation(Call(ctx=ctx, on=dt.date(2026, 11, 24)))


def test_the_second_best_has_its_reasons_too(known: Knowing):
    shown = room.differential(known, Signs((SEIZURE,)))
    assert shown is not None
    assert BETA in [each.disease.id for each in shown.why]
