"""FHIR R4 and Phenopackets v2, in and out.

>>> from lab39 import fhir
>>> record = fhir.record('{"resourceType": "Patient", "id": "p1", "birthDate": "2020-03"}')
>>> record.birth_date.precision
'month'
"""

from lab39.fhir.inputs import Failed, iter_records, load, record
from lab39.fhir.jsontext import dumps, loads

__all__ = ["Failed", "dumps", "iter_records", "load", "loads", "record"]
