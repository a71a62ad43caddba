"""From phenopackets to the lines that the benchmarks read."""

from __future__ import annotations

import json
import sys
import zipfile
from copy import deepcopy

import pytest

import phenopackets_to_jsonl as made
from lab39.solutions.raredisease import read_cases

PACKET = {
    "id": "PMID_1_Patient_A",
    "subject": {"id": "A", "timeAtLastEncounter": {"age": {"iso8601duration": "P12Y"}}, "sex": "MALE"},
    "phenotypicFeatures": [
        {"type": {"id": "HP:0000365"}, "onset": {"age": {"iso8601duration": "P2Y6M"}}},
        {"type": {"id": "HP:0000316"}, "onset": {"ontologyClass": {"id": "HP:0003623"}}},
        {"type": {"id": "HP:0000316"}},
        {"type": {"id": "HP:0000452"}, "excluded": True},
    ],
    "interpretations": [
        {
            "diagnosis": {
                "genomicInterpretations": [
                    {"variantInterpretation": {"variationDescriptor": {"geneContext": {"symbol": "ANKH"}}}}
                ]
            }
        }
    ],
    "diseases": [
        {"term": {"id": "OMIM:1", "label": "Mine"}, "onset": {"gestationalAge": {"weeks": 20}}},
        {"term": {"id": "OMIM:2", "label": "Not mine"}, "excluded": True},
    ],
    "metaData": {"created": "2025-10-07T09:16:19Z", "externalReferences": [{"id": "PMID:1"}, {"id": "DOI:2"}]},
}


def packet(**changes):
    return deepcopy(PACKET) | changes


def test_a_packet_becomes_one_case():
    assert made.case(PACKET, "ANKH") == {
        "id": "PMID_1_Patient_A",
        "cohort": "ANKH",
        "pmid": "PMID:1",
        "disease": "OMIM:1",
        "label": "Mine",
        "sex": "MALE",
        "age": "P12Y",
        "onset": "prenatal",
        "obs": ["HP:0000316", "HP:0000365"],
        "exc": ["HP:0000452"],
        "feat_onset": {"HP:0000365": "P2Y6M", "HP:0000316": "HP:0003623"},
        "genes": ["ANKH"],
        "created": "2025-10",
    }


def test_what_a_packet_does_not_say_is_absent_and_not_invented():
    bare = packet(subject={"id": "A"}, interpretations=[], diseases=[{"term": {"id": "OMIM:1"}}])
    found = made.case(bare, "ANKH")
    assert [found[name] for name in ("sex", "age", "onset", "label", "genes")] == [None, None, None, None, []]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"diseases": []}, "no disease"),
        ({"diseases": [{"term": {"id": "OMIM:1"}}, {"term": {"id": "OMIM:2"}}]}, "several disease"),
        ({"metaData": {}}, "no paper"),
        ({"metaData": {"externalReferences": [{"id": "PMID:1"}, {"id": "PMID:2"}]}}, "several paper"),
        ({"phenotypicFeatures": [{"type": {"id": "HP:0000452"}, "excluded": True}]}, "no sign present"),
    ],
)
def test_a_packet_that_is_no_case_is_left_out_with_the_reason(changes, why):
    with pytest.raises(made.NoCaseError, match=why):
        made.case(packet(**changes), "ANKH")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_release_becomes_lines_that_the_evaluation_reads(tmp_path, monkeypatch, capsys, kind):
    packets = {"ANKH/a.json": PACKET, "ANKH/b.json": packet(id="b"), "FBN1/c.json": packet(metaData={}, id="c")}
    packets["FBN1/again.json"] = PACKET
    source = tmp_path / ("release.zip" if kind == "zip" else "release")
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            for name, each in packets.items():
                archive.writestr(f"0.1.99/{name}", json.dumps(each))
            archive.writestr("0.1.99/README.md", "no packet")
    else:
        for name, each in packets.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(json.dumps(each))
    target = tmp_path / "cases.jsonl"
    monkeypatch.setattr(sys, "argv", ["x", str(source), str(target)])
    made.main()
    assert [c.id for c in read_cases(target)] == ["PMID_1_Patient_A", "b"]
    assert json.loads(target.read_text().splitlines()[0])["cohort"] == "ANKH"
    told = capsys.readouterr().err
    assert told == "2 cases; left out, an id met before: 1; left out, no paper: 1\n"
