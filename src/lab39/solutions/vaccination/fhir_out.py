"""What the engine says as FHIR R4: an ImmunizationEvaluation a dose and disease, one ImmunizationRecommendation.

Codes: HL7 Terminology (dose status, its reason, recommendation status), the ImmDS guide (forecast status and its
reason), LOINC (dates). A disease is named as the schedule names its antigens.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab39.core import terms
from lab39.core.text import Lang
from lab39.fhir.outputs import NAMESPACE
from lab39.solutions.vaccination import told, words
from lab39.solutions.vaccination.illness import Wait
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import (
    Dose,
    DoseStatus,
    Evaluation,
    GroupForecast,
    Patient,
    PatientSeries,
    Result,
    SeriesStatus,
    TargetStatus,
)

Resource = dict[str, Any]
ANTIGEN = "http://lab39.org/fhir/CodeSystem/vaccination-antigen"
"""Antigens and vaccine groups by the names that schedules give them."""
REASON = "http://lab39.org/fhir/CodeSystem/vaccination-reason"
"""Evaluation and forecast reasons by the words of the CDSi Logic Specification."""
WAITS = "Waits for the end of an acute illness"
"""The one forecast reason that is not of the specification: a general precaution, of no antigen."""
_DOSE = "http://terminology.hl7.org/CodeSystem/immunization-evaluation-dose-status"
_DOSE_REASON = "http://terminology.hl7.org/CodeSystem/immunization-evaluation-dose-status-reason"
_STATUS = "http://terminology.hl7.org/CodeSystem/immunization-recommendation-status"
_FORECAST = "http://hl7.org/fhir/us/immds/CodeSystem/ForecastStatus"
_FORECAST_REASON = "http://hl7.org/fhir/us/immds/CodeSystem/ForecastReason"
DATES: Mapping[str, tuple[str, str]] = {
    "earliest": ("30981-5", "Earliest date to give"),
    "recommended": ("30980-7", "Date vaccine due"),
    "past_due": ("59778-1", "Date when overdue for immunization"),
    "latest": ("59777-3", "Latest date to give immunization"),
}
"""The dates of a forecast by LOINC code, as the ImmDS guide names them."""
FORECASTS: Mapping[SeriesStatus, tuple[str, str, str]] = {
    SeriesStatus.COMPLETE: ("complete", "Complete", "complete"),
    SeriesStatus.NOT_COMPLETE: ("notComplete", "Not Complete", ""),
    SeriesStatus.NOT_RECOMMENDED: ("notRecommended", "Not Recommended", ""),
    SeriesStatus.IMMUNE: ("immune", "Immune", "immune"),
    SeriesStatus.CONTRAINDICATED: ("contraindicated", "Contraindicated", "contraindicated"),
    SeriesStatus.TO_ASK: ("notComplete", "Not Complete", ""),
    SeriesStatus.AGED_OUT: ("agedOut", "Aged Out", ""),
}
"""Code and display of ImmDS, and the code of HL7 Terminology where there is one."""
_IMMDS_REASONS: Mapping[str, tuple[str, str]] = {
    "Patient series is complete": ("complete", "Complete"),
    "Not recommended at this time due to past immunization history": ("notRecommended", "Not Recommended"),
    "Patient has exceeded the maximum age": ("maximumAge", "Maximum Age Exceeded"),
    "Past seasonal recommendation end date": ("seasonalPast", "Seasonal End Date Passed"),
}


class Writer:
    """Writes what was found of one person.

    Args:
        events: immunizations without an id of their own, by the reference that stands for them: kept inside the
            evaluations, so that each says which dose it is of.
        wait: that every dose waits for the end of an acute illness. What could be given today is then neither due
            nor overdue: it is not complete, and its first reason says until when it waits and why, a code of this
            project, as ImmDS (2.0.0) has none.
    """

    def __init__(
        self,
        result: Result,
        patient: Patient,
        schedule: Schedule,
        subject: str,
        lang: Lang,
        events: Mapping[str, Resource] | None = None,
        wait: Wait | None = None,
    ) -> None:
        self.result, self.patient, self.schedule = result, patient, schedule
        self.subject, self.lang, self.events, self.wait = subject, lang, events or {}, wait

    def evaluations(self) -> Iterator[Resource]:
        """One resource for a dose and each disease it is against, in the order of the doses."""
        for dose in self.patient.doses:
            for series, done in self._judged(dose):
                yield self._evaluation(dose, series, done)

    def recommendation(self) -> Resource:
        """One resource: every vaccine group, what is due first."""
        rows = sorted(self.result.groups, key=lambda each: (each.recommended or dt.date.max, each.group))
        return {
            "resourceType": "ImmunizationRecommendation",
            "id": self._id("recommendation"),
            "language": self.lang,
            "patient": {"reference": self.subject},
            "date": self.result.on.isoformat(),
            "authority": self._authority(),
            "recommendation": [self._recommendation(each) for each in rows],
        }

    def _judged(self, dose: Dose) -> Iterator[tuple[PatientSeries, Evaluation]]:
        for antigen in dict.fromkeys(a.antigen for a in self.schedule.vaccines.get(dose.code, ())):
            best = self.result.best.get(antigen, ())
            for series in (*best, *self.result.series.get(antigen, ())):
                done = next((each for each in series.evaluations if each.dose == dose), None)
                if done is not None:
                    yield series, done
                    break

    def _evaluation(self, dose: Dose, series: PatientSeries, done: Evaluation) -> Resource:
        event = self.events.get(dose.id)
        reference = f"#{event['id']}" if event else dose.id
        found: Resource = {
            "resourceType": "ImmunizationEvaluation",
            "id": self._id(f"{dose.id}|{series.series.antigen}"),
            "language": self.lang,
            "status": "completed",
            "patient": {"reference": self.subject},
            "date": self.result.on.isoformat(),
            "authority": self._authority(),
            "targetDisease": self._disease(series.series.antigen),
            "immunizationEvent": {"reference": reference},
            "doseStatus": self._dose_status(done.status),
            "series": series.series.name,
        }
        if event:
            found["contained"] = [event]
        if done.reasons:
            found["doseStatusReason"] = [self._dose_reason(done, each) for each in done.reasons]
        if done.target is not None:
            found["doseNumberPositiveInt"] = done.target
        return found

    def _dose_status(self, status: DoseStatus) -> Resource:
        code, display = ("valid", "Valid") if status is DoseStatus.VALID else ("notvalid", "Not Valid")
        return _concept((_DOSE, code, display), text=words.status(status)[self.lang])

    def _dose_reason(self, done: Evaluation, reason: str) -> Resource:
        codings = [(REASON, reason, reason)]
        expires = done.dose.expires
        if done.status in (DoseStatus.NOT_VALID, DoseStatus.EXTRANEOUS):
            codings.insert(0, (_DOSE_REASON, "outsideschedule", "Outside Schedule"))
        elif done.status is DoseStatus.SUB_STANDARD and expires is not None and expires < done.dose.date:
            codings.insert(0, (_DOSE_REASON, "expired", "Expired Product"))
        return _concept(*codings, text=words.reason(reason)[self.lang])

    def _recommendation(self, each: GroupForecast) -> Resource:
        found: Resource = {
            "targetDisease": self._disease(each.group),
            "forecastStatus": self._forecast_status(each),
            "series": "; ".join(dict.fromkeys(one.series.name for one in each.series)),
        }
        if each.vaccines:
            found["vaccineCode"] = [
                _concept((self.schedule.system, code, name or code), text=name)
                for code, name in dict.fromkeys((v.code, v.name) for v in each.vaccines)
            ]
        waits = self._waits(each)
        reasons = [self._forecast_reason(reason) for reason in each.reasons]
        if waits is not None:
            reasons.insert(0, self._wait_reason(waits))
            found |= _supported([one.ref for one in waits.noted])
        if reasons:
            found["forecastReason"] = reasons
        dates = [
            {"code": _concept((terms.LOINC, code, display)), "value": day.isoformat()}
            for name, (code, display) in DATES.items()
            if (day := getattr(each, name)) is not None
        ]
        if dates:
            found["dateCriterion"] = dates
        if each.number is not None:
            found["doseNumberPositiveInt"] = each.number
        doses = {len(one.series.doses) for one in each.series if not any(d.recurring for d in one.series.doses)}
        if len(doses) == 1:
            found["seriesDosesPositiveInt"] = doses.pop()
        supporting = [{"reference": ref} for ref in self._supporting(each.series)]
        if supporting:
            found["supportingImmunization"] = supporting
        return found

    def _forecast_status(self, each: GroupForecast) -> Resource:
        code, display, terminology = FORECASTS[each.status]
        codings = [(_FORECAST, code, display)]
        if told.is_due(each, self.result.on) and self._waits(each) is None:
            late = each.past_due is not None and each.past_due < self.result.on
            terminology = "overdue" if late else "due"
        if terminology:
            codings.append((_STATUS, terminology, terminology.capitalize()))
        return _concept(*codings, text=words.status(each.status)[self.lang])

    def _waits(self, each: GroupForecast) -> Wait | None:
        """Why a dose that could be given today is not to be."""
        possible = each.status is SeriesStatus.NOT_COMPLETE and (
            each.earliest is None or each.earliest <= self.result.on
        )
        return self.wait if possible else None

    def _wait_reason(self, wait: Wait) -> Resource:
        until, says = words.capital(wait.until)[self.lang], wait.says[self.lang]
        return _concept((REASON, WAITS, WAITS), text=f"{until}. {says} ({wait.noted[0].told.source})")

    def _forecast_reason(self, reason: str) -> Resource:
        codings = [(REASON, reason, reason)]
        if reason in _IMMDS_REASONS:
            codings.insert(0, (_FORECAST_REASON, *_IMMDS_REASONS[reason]))
        return _concept(*codings, text=words.reason(reason)[self.lang])

    def _supporting(self, series: Sequence[PatientSeries]) -> Iterator[str]:
        """The valid doses of the series that the record names by an id of their own."""
        valid = {
            done.dose.id
            for each in series
            for done in each.evaluations
            if done.status is DoseStatus.VALID and any(t.status is TargetStatus.SATISFIED for t in each.targets)
        }
        yield from sorted(ref for ref in valid if ref and not ref.startswith("#") and ref not in self.events)

    def _disease(self, name: str) -> Resource:
        return _concept((ANTIGEN, name, name), text=words.group(name)[self.lang])

    def _authority(self) -> Resource:
        title, _url = words.document(self.schedule)
        return {"display": f"{title} {self.schedule.version}"}

    def _id(self, what: str) -> str:
        name = f"{self.subject}|{self.schedule.name}|{self.schedule.version}|{self.result.on}|{what}"
        return str(uuid.uuid5(NAMESPACE, name))


def _supported(refs: Sequence[str]) -> Resource:
    """What of the record the status rests on, as far as it has an id to be named by."""
    rows = [{"reference": ref} for ref in dict.fromkeys(refs) if "[" not in ref]
    return {"supportingPatientInformation": rows} if rows else {}


def _concept(*codings: tuple[str, str, str], text: str = "") -> Resource:
    rows = [{"system": system, "code": _code(code), "display": display} for system, code, display in codings]
    return {"coding": rows} | ({"text": text} if text else {})


def _code(words_: str) -> str:
    """A FHIR code: no two spaces in a row."""
    return re.sub(r"\s+", " ", words_).strip()
