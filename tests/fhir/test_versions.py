"""Telling R4 from other releases: each sign is checked against the published models of the releases."""

from __future__ import annotations

import importlib

import pytest

from lab39 import fhir
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
        found[field.alias or name] = "array" if "List[" in said else "object" if "Type" in said else "string"
    return found


def named(sign):
    return f"{sign['version']} {sign['resource']}.{sign['element']}"


@pytest.mark.parametrize("sign", signs(), ids=named)
def test_a_sign_is_of_that_release_and_not_of_r4(sign):
    there, here = elements(sign["version"], sign["resource"]), elements("R4", sign["resource"])
    if sign["kind"] == "element":
        assert sign["element"] in there
        assert sign["element"] not in here
    else:
        assert there[sign["element"]] == sign["json"]
        assert here[sign["element"]] != sign["json"]


@pytest.mark.parametrize("sign", signs(), ids=named)
def test_a_document_that_shows_it_is_refused_by_element_and_release(sign):
    value = JSON[sign["json"]] if sign["kind"] == "type" else "x"
    resource = {"resourceType": sign["resource"], "id": "r1", sign["element"]: value}
    said = rf"x\.json: {sign['resource']}\.{sign['element']} \({sign['resource']}/r1\) is FHIR {sign['version']}"
    with pytest.raises(InputError, match=said):
        fhir.record(resource, "x.json")


@pytest.mark.parametrize("sign", [s for s in signs() if s["kind"] == "type"], ids=named)
def test_the_same_element_as_r4_writes_it_is_read(sign):
    value = JSON[elements("R4", sign["resource"])[sign["element"]]]
    assert fhir.record({"resourceType": sign["resource"], sign["element"]: value}).resources()
