"""The twelve fictional records: valid, marked, readable, and the running story complete."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import phenopackets as ga4gh
import pytest
from google.protobuf.json_format import Parse

from lab39 import fhir
from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.finding import Report
from lab39.core.record import Record
from lab39.fhir import packet_writer
from lab39.fhir.outputs import validate
from lab39.render.snapshot import snapshot

FOLDER = Path(__file__).parents[2] / "examples"
ON = dt.date(2026, 11, 24)
FILES = sorted(FOLDER.glob("*.json"))
PACKETS = [path for path in FILES if path.name.endswith(".phenopacket.json")]
BUNDLES = [path for path in FILES if path not in PACKETS]

# What is badly written on purpose, so that "I cannot tell, this is missing" is seen, and what is there for the
# solution that will read it itself (a recording). All others read without a doubt.
EXPECTED_ISSUES = {
    "running-story.json": {("not-supported", "component[0].valueSampledData")},
    "stress-at-work.json": {("not-supported", "component[0].valueSampledData")},
    "diabetes-1-before-a-trip.json": {("not-supported", "valueSampledData")},
    "diabetes-2-little-known.json": {
        ("value", "valueQuantity"),  # no unit
        ("value", "peu-connu-fatigue"),  # a sign neither present nor absent
        ("code-invalid", "code.coding[0].system"),  # an unknown code system
        ("not-supported", "occurrenceString"),  # a dose without a date
    },
    "adult-attacks.phenopacket.json": {
        ("required", "subject.birthDate"),
        ("informational", "subject.timeAtLastEncounter"),
    },
}


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", files, ids=[p.name.removesuffix(".json") for p in files])


def members(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of a document, with its key."""
    yield key, node
    if isinstance(node, dict):
        for name, value in node.items():
            yield from members(value, name)
    elif isinstance(node, list):
        for item in node:
            yield from members(item, key)


def document(path: Path) -> Any:
    return fhir.loads(path.read_bytes())


# -- the folder ----------------------------------------------------------------------------------------


def test_there_are_twelve_and_the_table_links_to_each():
    table = (FOLDER / "README.md").read_text("utf-8")
    assert len(FILES) == 12
    assert sorted(re.findall(r"\]\(([\w.-]+\.json)\)", table)) == [path.name for path in FILES]


def test_at_least_two_are_phenopackets():
    assert len(PACKETS) >= 2


@each(FILES)
def test_each_is_small_enough_to_be_read_by_a_person(path: Path):
    assert path.stat().st_size < 100_000


def test_every_code_of_the_lab_is_explained_in_the_readme():
    table = (FOLDER / "README.md").read_text("utf-8")
    own = {
        coding["code"]
        for path in BUNDLES
        for _, coding in members(document(path))
        if isinstance(coding, dict) and coding.get("system") == "http://lab39.org/fhir/CodeSystem/diary"
    }
    assert own
    assert [code for code in sorted(own) if f"`{code}`" not in table] == []


# -- valid ---------------------------------------------------------------------------------------------


@each(BUNDLES)
def test_a_bundle_is_a_valid_r4_collection(path: Path):
    bundle = document(path)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    validate(bundle)


@each(PACKETS)
def test_a_phenopacket_is_valid_by_its_protobuf(path: Path):
    packet = Parse(path.read_text("utf-8"), ga4gh.Phenopacket())  # refuses any field it does not know
    assert packet.meta_data.phenopacket_schema_version == "2.0"
    assert any(feature.excluded for feature in packet.phenotypic_features)
    assert any(not feature.excluded for feature in packet.phenotypic_features)


@each(BUNDLES)
def test_every_reference_leads_to_a_resource_of_the_same_record(path: Path):
    record = fhir.load(path)
    references = [value for key, value in members(record.origin) if key == "reference"]
    assert references
    assert [r for r in references if record.resolve(r) is None] == []


@each(BUNDLES)
def test_no_two_entries_of_the_folder_share_an_address(path: Path):
    mine = [entry["fullUrl"] for entry in document(path)["entry"]]
    others = [e["fullUrl"] for other in BUNDLES if other != path for e in document(other)["entry"]]
    assert len(mine) == len(set(mine))
    assert set(mine).isdisjoint(others)


@each([path for path in BUNDLES if path.name != "diabetes-2-little-known.json"])
def test_every_quantity_has_a_ucum_unit(path: Path):
    units = [
        value.get("system")
        for key, value in members(document(path))
        if key in ("valueQuantity", "doseQuantity", "dose", "origin")
    ]
    assert set(units) == {terms.UCUM}


# -- fictional -----------------------------------------------------------------------------------------


@each(FILES)
def test_it_says_in_the_document_that_it_is_test_data(path: Path):
    if path in PACKETS:
        references = document(path)["metaData"]["externalReferences"]
        assert references[0]["id"] == "v3-ActReason:HTEST"
    else:
        mark = {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            "code": "HTEST",
            "display": "test health data",
        }
        bundle = document(path)
        assert bundle["meta"]["tag"] == bundle["entry"][0]["resource"]["meta"]["tag"] == [mark]


@each(FILES)
def test_a_reader_sees_that_it_is_fictional_by_the_name_and_by_the_tag(path: Path):
    seen = snapshot(fhir.load(path), Report(record={}, on=ON, findings=()))
    assert "fictif" in seen.title.lower()
    assert seen.fictional


def test_a_packet_without_the_mark_is_not_taken_for_a_fictional_one():
    packet = document(PACKETS[0])
    del packet["metaData"]["externalReferences"]
    assert not snapshot(fhir.record(packet), Report(record={}, on=ON, findings=())).fictional


@each(FILES)
def test_nothing_in_it_could_identify_anyone(path: Path):
    keys = {key for key, _ in members(document(path))}
    assert keys.isdisjoint({"identifier", "telecom", "address", "contact", "lotNumber", "alternateIds"})
    words = [v for k, v in members(document(path)) if isinstance(v, str) and k not in ("data", "code")]
    assert [w for w in words if "@" in w or re.search(r"(\d[ .-]?){9,}", w.replace("-", "·"))] == []


# -- readable ------------------------------------------------------------------------------------------


@each(FILES)
def test_it_reads_with_no_other_doubt_than_those_it_carries_on_purpose(path: Path):
    said = {(i.code, re.sub(r".*(resource\.|/)", "", i.place)) for i in fhir.load(path).issues}
    assert said == EXPECTED_ISSUES.get(path.name, set())


@each(FILES)
def test_a_round_trip_gives_the_same_document_to_the_digit(path: Path):
    record = fhir.load(path)
    written = fhir.loads(fhir.dumps(record.origin))
    assert written == document(path) == record.origin
    if path in PACKETS:
        assert packet_writer.from_record(record, "2026-11-24T08:00:00Z") == document(path)
    plain = json.loads(path.read_text("utf-8"))
    assert json.loads(fhir.dumps(record.origin)) == plain


@each(FILES)
def test_nothing_is_dated_after_the_day_but_the_trip_and_the_birth_to_come(path: Path):
    for resource in fhir.load(path).resources():
        to_come = resource["resourceType"] == "CarePlan" or "11778-8" in str(resource.get("code"))
        dates = [v for k, v in members(resource) if isinstance(v, str) and k != "data" and _is_date(v)]
        late = [written for written in dates if PartialDate.parse(written).earliest > ON]
        assert bool(late) == to_come, (resource.get("id"), late)


def _is_date(value: str) -> bool:
    return re.fullmatch(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?", value) is not None


@each(BUNDLES)
def test_nothing_happened_before_the_person_was_born(path: Path):
    record = fhir.load(path)
    assert record.birth_date is not None
    entries = [*record.observations(), *record.immunizations(), *record.procedures()]
    assert [e.ref for e in entries if e.date and e.date.latest < record.birth_date.earliest] == []


@each(BUNDLES)
def test_every_condition_medicine_and_dose_says_something_in_french_words(path: Path):
    record = fhir.load(path)
    for entry in (*record.conditions(), *record.medications(), *record.immunizations(), *record.observations()):
        assert entry.concept.text, entry.ref


# -- the running story ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story() -> Record:
    return fhir.load(FOLDER / "running-story.json")


def test_she_is_a_woman_of_82(story: Record):
    age = story.age(ON)
    assert age is not None
    assert (age.years, story.sex) == (82, "female")


@pytest.mark.parametrize(
    ("name", "snomed"),
    [
        ("atrial fibrillation", "49436004"),
        ("heart failure", "84114007"),
        ("hypertension", "59621000"),
        ("type 2 diabetes", "44054006"),
        ("chronic kidney disease", "709044004"),
        ("osteoporosis", "64859006"),
        ("urge incontinence", "87557004"),
        ("depression", "35489007"),
        ("gout", "90560007"),
        ("insomnia", "193462001"),
        ("tired", "84229001"),
        ("falls", "1912002"),
    ],
)
def test_she_has_every_condition_of_the_story(story: Record, name: str, snomed: str):
    (found,) = [c for c in story.conditions() if c.concept.has(terms.SNOMED, snomed)]
    assert found.active
    assert found.concept.code(terms.ICD10)


@pytest.mark.parametrize(
    ("name", "atc", "dose", "unit", "per_day"),
    [
        ("apixaban", "B01AF02", "5", "mg", 2),
        ("bisoprolol", "C07AB07", "5", "mg", 1),
        ("ramipril", "C09AA05", "5", "mg", 1),
        ("hydrochlorothiazide", "C03AA03", "12.5", "mg", 1),
        ("metformin", "A10BA02", "1000", "mg", 2),
        ("insulin glargine", "A10AE04", "14", "[iU]", 1),
        ("sertraline", "N06AB06", "50", "mg", 1),
        ("tramadol", "N02AX02", "50", "mg", 3),
        ("oxybutynin", "G04BD04", "5", "mg", 2),
        ("zolpidem", "N05CF02", "10", "mg", 1),
        ("omeprazole", "A02BC01", "20", "mg", 1),
        ("alendronate", "M05BA04", "70", "mg", Decimal(1) / 7),
        ("allopurinol", "M04AA01", "200", "mg", 1),
    ],
)
def test_she_takes_every_medicine_of_the_story(
    story: Record, name: str, atc: str, dose: str, unit: str, per_day: Any
):
    (found,) = [m for m in story.medications() if m.concept.has(terms.ATC, atc)]
    (line,) = found.dosages
    assert found.current
    assert found.prescribed
    assert line.dose is not None
    assert (line.dose.value, line.dose.unit, line.per_day) == (Decimal(dose), unit, per_day)
    assert line.text


def test_ibuprofen_is_taken_without_a_prescription_and_is_the_only_one(story: Record):
    (found,) = [m for m in story.medications() if not m.prescribed]
    assert found.concept.has(terms.ATC, "M01AE01")
    assert found.dosages[0].dose is not None
    assert found.dosages[0].dose.value == 400
    assert found.current
    assert len(story.medications()) == 14


def test_allopurinol_was_started_three_weeks_ago(story: Record):
    (found,) = [m for m in story.medications() if m.concept.has(terms.ATC, "M04AA01")]
    assert found.start is not None
    assert found.start.exact == ON - dt.timedelta(weeks=3)


@pytest.mark.parametrize(
    ("name", "loinc", "value", "unit"),
    [
        ("weight", "29463-7", "54", "kg"),
        ("height", "8302-2", "158", "cm"),
        ("ejection fraction", "10230-1", "40", "%"),
        ("creatinine", "14682-9", "118", "umol/L"),
        ("potassium", "2823-3", "5.1", "mmol/L"),
        ("sodium", "2951-2", "131", "mmol/L"),
        ("HbA1c", "4548-4", "8.4", "%"),
    ],
)
def test_she_has_every_measurement_of_the_story_with_its_date(
    story: Record, name: str, loinc: str, value: str, unit: str
):
    found = story.latest(loinc, on=ON)
    assert found is not None
    assert found.quantity is not None
    assert (found.quantity.value, found.quantity.unit) == (Decimal(value), unit)


@pytest.mark.parametrize(
    ("name", "loinc"),
    [
        ("ALT", "1742-6"),
        ("AST", "1920-8"),
        ("gamma-GT", "2324-2"),
        ("alkaline phosphatase", "6768-6"),
        ("bilirubin", "1975-2"),
        ("blood pressure", "85354-9"),
        ("systolic", "8480-6"),
        ("diastolic", "8462-4"),
    ],
)
def test_liver_tests_and_blood_pressure_are_absent(story: Record, name: str, loinc: str):
    assert story.observations(loinc) == ()


def test_she_fell_twice_this_year_and_lives_alone(story: Record):
    falls = story.observations("1912002", terms.SNOMED)
    assert [fall.date.earliest.year for fall in falls if fall.date] == [2026, 2026]
    (alone,) = story.observations("105529008", terms.SNOMED)
    assert alone.value is True


@pytest.mark.parametrize(("name", "snomed"), [("rash", "271807003"), ("fever", "386661006")])
def test_rash_and_fever_began_two_days_ago(story: Record, name: str, snomed: str):
    (found,) = [c for c in story.conditions() if c.concept.has(terms.SNOMED, snomed)]
    assert found.onset is not None
    assert found.onset.exact == ON - dt.timedelta(days=2)


def test_the_photograph_is_a_drawing_and_says_so(story: Record):
    (media,) = story.resources("Media")
    assert base64.b64decode(media["content"]["data"]).startswith(b"\x89PNG\r\n\x1a\n")
    assert "dessin" in media["content"]["title"]
    assert "pas une photographie" in media["note"][0]["text"]


def test_her_vaccines_are_those_of_the_story_with_the_precision_they_are_known(story: Record):
    doses = [(d.concept.text.split(" (")[0], d.date.written) for d in story.immunizations() if d.date]
    assert doses == [
        ("dTP", "2010"),
        ("Pneumocoque conjugué 13-valent", "2016-10"),
        ("Pneumocoque polysaccharidique 23-valent", "2018-02-06"),
        ("Covid-19", "2024-10"),
        ("Grippe 2025-2026", "2025-10-21"),
    ]


def test_she_leaves_paris_for_noumea_in_three_weeks(story: Record):
    (plan,) = story.resources("CarePlan")
    assert plan["period"]["start"] == (ON + dt.timedelta(weeks=3)).isoformat()
    legs = [[part["valueCode"] for part in a["detail"]["extension"][0]["extension"]] for a in plan["activity"]]
    assert (legs[0][0], legs[1][1]) == ("CDG", "NOU")
    assert "fille" in plan["title"]
    for activity in plan["activity"]:
        start, end = (dt.datetime.fromisoformat(activity["detail"]["scheduledPeriod"][k]) for k in ("start", "end"))
        assert dt.timedelta(hours=5) < end - start < dt.timedelta(hours=20)


DIARY = "http://lab39.org/fhir/CodeSystem/diary"


@pytest.mark.parametrize("name", ["running-story.json", "insomniac-lorry-driver.json"])
def test_two_weeks_of_sleep_diary_run_without_a_gap_and_every_night_is_possible(name: str):
    diary = [o for o in fhir.load(FOLDER / name).observations("night", DIARY) if o.date]
    assert [o.date.exact for o in diary if o.date] == [ON - dt.timedelta(days=n) for n in reversed(range(14))]
    for night in diary:
        told = {concept.code(DIARY): value for concept, value in night.components}
        steps = ("in-bed", "lights-out", "final-awakening", "out-of-bed")
        clock = [dt.datetime.fromisoformat(str(told[step])) for step in steps]
        assert clock == sorted(clock)
        assert clock[-1].date() == night.date.exact
        awake = told["sleep-latency"].value + told["awake-after-onset"].value
        assert 120 <= (clock[2] - clock[1]).total_seconds() / 60 - float(awake) <= 540


@pytest.mark.parametrize("name", ["running-story.json", "stress-at-work.json"])
def test_the_heart_rate_recording_lasts_three_minutes_and_its_mean_is_the_one_stated(name: str):
    (recording,) = fhir.load(FOLDER / name).observations("8867-4")
    sampled = recording.raw["component"][0]["valueSampledData"]
    beats = [int(x) for x in sampled["data"].split()]
    assert len(beats) * sampled["period"] == 180_000
    assert recording.quantity is not None
    assert abs(sum(beats) / len(beats) - float(recording.quantity.value)) <= 0.5


# -- what the others are there for ---------------------------------------------------------------------


def test_of_one_person_almost_nothing_can_be_said():
    record = fhir.load(FOLDER / "diabetes-2-little-known.json")
    age = record.age(ON)
    assert age is not None
    assert age.at_least(65) is None
    seen = snapshot(record, Report(record={}, on=ON, findings=()))
    assert {"poids", "créatinine", "allergies\u202f: non renseignées"} <= {text.fr for text in seen.absent}


def test_the_sensor_of_the_traveller_covers_three_days_with_a_night_hypoglycaemia():
    record = fhir.load(FOLDER / "diabetes-1-before-a-trip.json")
    (sensor,) = record.observations("99504-3")
    sampled = sensor.raw["valueSampledData"]
    values_mg_dl = [int(x) for x in sampled["data"].split()]
    assert len(values_mg_dl) * sampled["period"] == 3 * 86_400_000
    assert min(values_mg_dl[:24]) < 70
    assert max(values_mg_dl) < 350


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    command = [str(Path(sys.executable).parent / "lab39"), "assess", str(FOLDER), "--on", str(ON), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["failed"] == []
    return {report["record"]["id"]: report for report in found["reports"]}


def test_the_command_assesses_all_twelve_and_no_solution_fails(answers: dict[str, dict[str, Any]]):
    assert len(answers) == 12
    for report in answers.values():
        assert report["findings"]
        assert "could-not-run" not in {finding["code"] for finding in report["findings"]}


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ("fictif-enfant-sans-diagnostic", "Mucopolysaccharidosis, type II"),
        ("fictif-adulte-crises", "Porphyria, acute intermittent"),
        ("fil-rouge", "ne désignent aucune maladie rare"),
        ("nourrisson", "aucun signe codé HPO"),
    ],
)
def test_rare_diseases_says_what_the_table_promises(answers: dict[str, dict[str, Any]], person: str, said: str):
    (finding,) = [f for f in answers[person]["findings"] if f["solution"] == "raredisease"]
    assert said in finding["summary"]["fr"]
