"""Telling R4 from other releases: each sign is checked against the published models of the releases."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from fhir import resources
from lab39 import fhir
from lab39.core.documents import resource_types
from lab39.core.errors import InputError
from lab39.fhir.versions import signs

PACKAGES = {"R5": "fhir.resources", "R4": "fhir.resources.R4B", "STU3": "fhir.resources.STU3"}
JSON = {"array": [{}], "object": {"text": "x"}, "string": "word"}


def elements(release: str, resource: str) -> dict[str, str]:
    """The JSON type of each element of a resource in a release."""
    module = importlib.import_module(f"{PACKAGES[release]}.{resource.lower()}")
    found = {}
    for name, field in getattr(module, resource).model_fields.items():
        said = str(field.annotation)
        if name.endswith("__ext"):
            continue
        found[field.alias or name] = "array" if "List[" in said else "object" if "Type" in said else "string"
    return found


READ = sorted({sign.resource for sign in signs() if sign.element})
SHARED = {("Observation", "valueAttachment"), ("Encounter", "reason")}
"""What R5 and STU3 have and R4 lacks: it tells that a resource is not R4, and not which release it is of."""


def named(sign):
    return f"{sign.version} {sign.where} {sign.json}"


@pytest.mark.parametrize("sign", [s for s in signs() if s.version != "DSTU2" and s.element], ids=named)
def test_a_sign_is_of_that_release_and_not_of_r4(sign):
    there, here = elements(sign.version, sign.resource), elements("R4", sign.resource)
    if sign.json:
        assert there[sign.element] == sign.json
        assert here[sign.element] != sign.json
    else:
        assert sign.element in there
        assert sign.element not in here


@pytest.mark.parametrize("sign", [s for s in signs() if s.version == "DSTU2" and s.element], ids=named)
def test_a_sign_of_dstu2_is_not_of_r4(sign):
    assert sign.element not in elements("R4", sign.resource)


@pytest.mark.parametrize("resource", READ)
@pytest.mark.parametrize("release", ["R5", "STU3"])
def test_every_element_that_tells_a_release_is_in_the_table(release, resource):
    there, here = elements(release, resource), elements("R4", resource)
    new = {name for name in there if name not in here and (resource, name) not in SHARED}
    changed = {name for name in there if name in here and there[name] != here[name]}
    table = [s for s in signs() if (s.version, s.resource) == (release, resource)]
    assert {s.element for s in table if s.element and not s.json} == new
    assert {s.element for s in table if s.json} == changed


@pytest.mark.parametrize("sign", signs(), ids=named)
def test_a_document_that_shows_it_is_refused_by_element_and_release(sign):
    resource = {"resourceType": sign.resource, "id": "r1"}
    if sign.element:
        resource[sign.element] = JSON[sign.json] if sign.json else "x"
    said = rf"x\.json: {re.escape(sign.where)} \({sign.resource}/r1\) is FHIR "
    with pytest.raises(InputError, match=said):
        fhir.record(resource, "x.json")
    with pytest.raises(InputError, match=said):
        fhir.record({"resourceType": "Bundle", "entry": [{"resource": resource}]}, "x.json")


@pytest.mark.parametrize("sign", [s for s in signs() if s.json], ids=named)
def test_the_same_element_as_r4_writes_it_is_read(sign):
    value = JSON[elements("R4", sign.resource)[sign.element]]
    assert fhir.record({"resourceType": sign.resource, sign.element: value}).resources()


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ({"resourceType": "MedicationOrder", "patient": {"reference": "Patient/p"}}, "FHIR DSTU2"),
        ({"resourceType": "Immunization", "reason": [{}]}, "FHIR R5"),
        ({"resourceType": "Observation", "instantiatesCanonical": "x"}, "FHIR R5"),
    ],
)
def test_releases_are_told_by_name(resource, said):
    with pytest.raises(InputError, match=said):
        fhir.record(resource)


def test_the_resource_types_are_those_of_r4():
    """R4B took away types of products, substances and syntheses; all others are the same."""
    names = {path.stem for path in (Path(resources.__file__).parent / "R4B").glob("*.py")}
    both = {name for name in resource_types() if name.lower() in names}
    assert len(resource_types()) == 146
    gone = resource_types() - both
    assert {"EffectEvidenceSynthesis", "MedicinalProduct", "SubstancePolymer"} <= gone
    assert all(name.startswith(("Medicinal", "Substance", "Effect", "Risk")) for name in gone)
