"""Our E2B(R3) messages against XML schemas that a user has.

The schemas of ICH are not ours to ship: those of this module are written for it, small, and cut as ICH cuts its own
(``multicacheschemas`` asks for ``coreschemas``). The last tests are there for who has ICH's folder or e2br3:
``LAB39_E2B_XSD=FOLDER pytest tests/solutions/signals/readers/test_e2b_schema.py``.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import run

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import e2b_write
from lab39.solutions.signals.readers.e2b_schema import check
from lab39.solutions.signals.readers.model import Case, Event, Report

from .test_e2b import ENVELOPE, full_case

__all__ = ["run"]

SMALL = Case(Report(report_id="FR-LAB39-9", source="e2b"), events=(Event(event="Rash"),))
CORE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:hl7-org:v3"
  targetNamespace="urn:hl7-org:v3" elementFormDefault="qualified">
  <xs:simpleType name="ts">
    <xs:restriction base="xs:string"><xs:pattern value="[0-9]{8,14}"/></xs:restriction>
  </xs:simpleType>
  <xs:complexType name="TS"><xs:attribute name="value" type="ts" use="required"/></xs:complexType>
</xs:schema>
"""
BATCH = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:hl7-org:v3"
  targetNamespace="urn:hl7-org:v3" elementFormDefault="qualified">
  <xs:include schemaLocation="../coreschemas/datatypes.xsd"/>
  <xs:element name="MCCI_IN200100UV01"><xs:complexType>
    <xs:sequence>
      <xs:element name="id"/><xs:element name="creationTime" type="TS"/>
      <xs:any namespace="##targetNamespace" processContents="skip" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="ITSVersion" fixed="XML_1.0" use="required"/>
  </xs:complexType></xs:element>
</xs:schema>
"""


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A folder cut as ICH's."""
    pytest.importorskip("lxml")
    for name, text in (("multicacheschemas/MCCI_IN200100UV01.xsd", BATCH), ("coreschemas/datatypes.xsd", CORE)):
        path = tmp_path / "xsd" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "xsd"


def test_a_valid_message_has_no_fault_and_the_schemas_are_counted(schemas: Path):
    found = check(e2b_write.write(full_case(), ENVELOPE), schemas)
    assert (found.schema.name, found.files, found.faults) == ("MCCI_IN200100UV01.xsd", 2, ())


def test_a_fault_is_told_by_its_line_without_the_namespace(schemas: Path):
    found = check(e2b_write.write(SMALL, replace(ENVELOPE, created="tomorrow")), schemas)
    assert [each.line for each in found.faults] == [4]
    assert found.faults[0].says.startswith("Element 'creationTime', attribute 'value'")


@pytest.mark.parametrize("folder", ["multicacheschemas", "..", "."])
def test_the_schema_is_found_whichever_folder_is_given(schemas: Path, folder: str):
    """Of ICH's whole package, of the schemas, or of the messages when these ask for nothing outside it."""
    if folder == "multicacheschemas":
        text = (schemas / folder / "MCCI_IN200100UV01.xsd").read_text("utf-8").replace("../coreschemas/", "")
        (schemas / folder / "MCCI_IN200100UV01.xsd").write_text(text, "utf-8")
        (schemas / folder / "datatypes.xsd").write_text(CORE, "utf-8")
    assert check(e2b_write.write(SMALL, ENVELOPE), schemas / folder).faults == ()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("http://eudravigilance.example/datatypes.xsd", "outside the folder"),
        ("../../elsewhere.xsd", "outside the folder"),
        ("/etc/hostname", "outside the folder"),
        ("../coreschemas/absent.xsd", "which the folder has not"),
    ],
)
def test_nothing_outside_the_folder_is_opened(schemas: Path, place: str, told: str):
    (schemas.parent / "elsewhere.xsd").write_text(CORE, "utf-8")
    path = schemas / "multicacheschemas/MCCI_IN200100UV01.xsd"
    path.write_text(BATCH.replace("../coreschemas/datatypes.xsd", place), "utf-8")
    with pytest.raises(InputError, match=told) as error:
        check(e2b_write.write(SMALL, ENVELOPE), schemas)
    assert str(error.value.place).endswith("MCCI_IN200100UV01.xsd:3")


def test_a_schema_that_asks_for_another_by_way_of_a_third_is_followed_and_refused(schemas: Path):
    inner = CORE.replace(
        "<xs:simpleType", '<xs:include schemaLocation="http://hl7.example/voc.xsd"/><xs:simpleType'
    )
    (schemas / "coreschemas/datatypes.xsd").write_text(inner, "utf-8")
    with pytest.raises(InputError, match=r"hl7\.example"):
        check(e2b_write.write(SMALL, ENVELOPE), schemas)


def test_an_entity_in_a_schema_is_not_followed(schemas: Path):
    secret = schemas.parent / "secret.txt"
    secret.write_text("secret", "utf-8")
    entity = f'<!DOCTYPE xs:schema [<!ENTITY e SYSTEM "{secret.as_uri()}">]>' + CORE
    (schemas / "coreschemas/datatypes.xsd").write_text(entity, "utf-8")
    with pytest.raises(InputError, match="document type"):
        check(e2b_write.write(SMALL, ENVELOPE), schemas)


def test_an_entity_in_a_message_is_not_followed(schemas: Path):
    message = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///absent">]><MCCI_IN200100UV01>&e;</MCCI_IN200100UV01>'
    with pytest.raises(InputError, match="declares a document type"):
        check(message, schemas)


def test_what_cannot_be_used_is_told_with_what_to_do(schemas: Path):
    message = e2b_write.write(SMALL, ENVELOPE)
    (schemas / "coreschemas/MCCI_IN200100UV01.xsd").mkdir()  # a folder is no schema
    with pytest.raises(InputError, match="no folder"):
        check(message, schemas / "absent")
    with pytest.raises(InputError, match="multicacheschemas and coreschemas"):
        check(message, schemas / "coreschemas")
    (schemas / "coreschemas/datatypes.xsd").write_text(CORE.replace('name="TS"', 'name="ST"'), "utf-8")
    with pytest.raises(InputError, match="take ICH's whole folder again"):
        check(message, schemas)
    (schemas / "coreschemas/datatypes.xsd").write_text("<xs:schema", "utf-8")
    with pytest.raises(InputError, match="not well formed"):
        check(message, schemas)
    path = schemas / "other/MCCI_IN200100UV01.xsd"
    path.parent.mkdir()
    path.write_text(BATCH, "utf-8")
    with pytest.raises(InputError, match="2 files"):
        check(message, schemas.parent)


CASE = "case,drug,role,event,sex,received\n7,ASPIRIN,suspect,Nausea,F,2026-01-02\n"


def test_one_command_writes_a_message_and_checks_it(run: Any, schemas: Path, tmp_path: Path):
    case = tmp_path / "case.csv"
    case.write_text(CASE, "utf-8")
    ran = run("signals", "report", case, "--to", "e2b", "--validate-with", schemas, "--json")
    assert ran.code == 1  # the time of this machine has a zone, which this schema does not know
    told = ran.json["schema"]
    assert (told["valid"], told["files"], told["faults"][0]["line"]) == (False, 2, 4)
    assert ran.json["content"].startswith("<?xml")
    (schemas / "coreschemas/datatypes.xsd").write_text(CORE.replace("{8,14}", "{8,14}[+\\-][0-9]{4}"), "utf-8")
    good = run("signals", "report", case, "--to", "e2b", "--validate-with", schemas)
    assert good.code == 0, good.err
    assert "valide selon MCCI_IN200100UV01.xsd (2 fichiers de schéma)" in good.err
    assert run("signals", "report", case, "--to", "fhir", "--validate-with", schemas).code == 2
    assert run("signals", "report", case, "--to", "e2b", "--json").json["schema"] is None


if "LAB39_E2B_XSD" in os.environ:

    @pytest.mark.parametrize("case", [full_case(), SMALL], ids=["full", "small"])
    def test_our_messages_are_valid_by_the_schemas_of_ich(case: Case):
        assert check(e2b_write.write(case, ENVELOPE), Path(os.environ["LAB39_E2B_XSD"])).faults == ()


if importlib.util.find_spec("e2br3"):

    def test_a_reader_written_by_others_finds_the_case_in_our_message(tmp_path: Path):
        """With ``pip install e2br3`` (Apache-2.0): it knows nothing of this project."""
        reader = importlib.import_module("e2br3")

        message = tmp_path / "case.xml"
        message.write_text(e2b_write.write(full_case(), ENVELOPE), "utf-8")
        (read,) = reader.to_dict(reader.parse(message))["messages"]
        case = read["icsr"]
        assert case["safety_report_id"] == "FR-LAB39-1"
        assert (read["sender"], read["receiver"]) == (ENVELOPE.sender, ENVELOPE.receiver)
        assert [each["native_term"] for each in case["reactions"]] == ["Hématome", "Chute"]
        assert case["reactions"][0]["hospitalisation"] is True
        assert case["reactions"][0]["outcome"]["code"] == "1"
        assert case["patient"]["age"] == {"value": "61.5", "unit": "a"}
        drugs = [(drug["product_name"], drug["role"]["code"], drug["substances"]) for drug in case["drugs"]]
        assert drugs == [("ELIQUIS 5 mg", "1", ["apixaban"]), ("IBUPROFENE", "3", []), ("RAMIPRIL", "2", [])]
