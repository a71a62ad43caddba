"""Compile supporting data into an immutable :class:`~lab39.solutions.vaccination.model.Schedule`.

Enumerations are read whatever their case; ``n/a`` and what is empty are the same as absent.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from lab39.core import terms
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.vaccination import model as m
from lab39.solutions.vaccination.dates import Duration, parse
from lab39.solutions.vaccination.supporting import SCHEDULE, Document, Documents, many

FORMAT = 1
_T = TypeVar("_T")


def compile_schedule(name: str, documents: Documents) -> m.Schedule:
    """Make the immutable schedule.

    Raises:
        InputError: a value that the schema does not allow, with the antigen and the series it is in.
    """
    return _placed(SCHEDULE, documents.schedule, lambda _row: _compiled(name, documents), SCHEDULE)


def _compiled(name: str, documents: Documents) -> m.Schedule:
    schedule, antigens = documents.schedule, {}
    for body in documents.antigens:
        antigen = _placed("antigen", body, _antigen)
        if antigen is not None:
            antigens[antigen.name] = antigen
    full = {
        row["name"].strip(): row.get("administerFullVaccineGroup", "").casefold() == "yes"
        for row in _rows(schedule, "vaccineGroups", "vaccineGroup")
    }
    maps = _rows(schedule, "cvxToAntigenMap", "cvxMap")
    return m.Schedule(
        name=name,
        version=documents.version,
        system=terms.CVX,
        antigens=antigens,
        groups={
            row["name"]: m.VaccineGroup(row["name"], tuple(many(row.get("antigen"))), full.get(row["name"], False))
            for row in _rows(schedule, "vaccineGroupToAntigenMap", "vaccineGroupMap")
        },
        vaccines={cvx(row["cvx"]): tuple(map(_association, many(row.get("association")))) for row in maps},
        vaccine_names={cvx(row["cvx"]): row.get("shortDescription", "") for row in maps},
        conflicts=_conflicts(_rows(schedule, "liveVirusConflicts", "liveVirusConflict")),
        observations={
            row["observationCode"]: m.ObservationTerm(
                row["observationCode"],
                row.get("observationTitle", ""),
                (*_coded(row), *_crosswalked(documents.crosswalk.get(row["observationCode"]))),
            )
            for row in _rows(schedule, "observations", "observation")
        },
    )


def save(documents: Documents, target: Path) -> None:
    """Write the compact form that :func:`load` opens."""
    body = {"format": FORMAT, "documents": documents._asdict()}
    target.write_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")), "utf-8")


def load(name: str, path: Path, version: str = "") -> m.Schedule:
    """Open a compact form and compile it.

    Args:
        version: of its pack, instead of the digest of its content.

    Raises:
        InputError: damaged, or of another format; delete it and it is made again.
    """
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != FORMAT:
            raise ValueError(f"format {body['format']}, not {FORMAT}")
        documents = Documents(**{**body["documents"], "antigens": tuple(body["documents"]["antigens"])})
        documents = documents._replace(version=version or documents.version)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            Text(
                f"calendrier compilé illisible ({error})\u202f: supprimer ce fichier, il sera refait",
                f"unreadable compiled schedule ({error}): delete this file, it will be made again",
            ),
            str(path),
        ) from error
    return compile_schedule(name, documents)


def cvx(code: str) -> str:
    """A CVX code in its usual form, two digits at least (``3`` and ``03`` are the same)."""
    code = code.strip()
    return code.zfill(2) if code.isdigit() else code


def _antigen(body: Document) -> m.Antigen | None:
    series = many(body.get("series"))
    if not series:
        return None
    name = series[0]["targetDisease"]
    immunity = body.get("immunity") or {}
    contraindications = body.get("contraindications") or {}
    rows = [
        row
        for level in ("vaccineGroup", "vaccine")
        for row in many((contraindications.get(level) or {}).get("contraindication"))
    ]
    return m.Antigen(
        name=name,
        immune_codes=frozenset(row["guidelineCode"] for row in many(immunity.get("clinicalHistory"))),
        immune_births=tuple(
            m.BirthImmunity(
                _date(row["immunityBirthDate"]) or dt.date.min,
                row.get("birthCountry", ""),
                frozenset(each["exclusionCode"] for each in many(row.get("exclusion"))),
            )
            for row in many(immunity.get("dateOfBirth"))
        ),
        contraindications=tuple(map(_contraindication, rows)),
        series=tuple(_placed("seriesName", row, _series) for row in series),
    )


def _series(row: Document) -> m.Series:
    select = row["selectSeries"]
    doses = tuple(_dose(index, each) for index, each in enumerate(many(row["seriesDose"]), 1))
    kinds: dict[str, m.SeriesType] = {"standard": "Standard", "risk": "Risk", "evaluation only": "Evaluation Only"}
    return m.Series(
        name=row["seriesName"],
        antigen=row["targetDisease"],
        vaccine_group=row["vaccineGroup"].strip(),
        type=kinds[row["seriesType"].casefold()],
        sexes=frozenset(each.capitalize() for each in many(row.get("requiredGender"))),
        group=select.get("seriesGroup", "1"),
        group_name=select.get("seriesGroupName", ""),
        equivalent=frozenset(_split(row.get("equivalentSeriesGroups"))),
        default=_yes(select.get("defaultSeries")),
        product=_yes(select.get("productPath")),
        priority=select.get("seriesPriority", "A"),
        preference=int(select.get("seriesPreference", 99)),
        min_start=_duration(select.get("minAgeToStart")),
        max_start=_duration(select.get("maxAgeToStart")),
        indications=tuple(
            m.Indication(each["observationCode"]["code"], each.get("description", ""), *_ages(each))
            for each in many(row.get("indication"))
            if each.get("observationCode", {}).get("code")
        ),
        guidance=tuple(each for each in many(row.get("seriesAdminGuidance")) if _stated(each)),
        doses=doses,
        after_others=any(
            c.kind == "completed" for d in doses for k in d.skips for s in k.sets for c in s.conditions
        ),
    )


def _dose(index: int, row: Document) -> m.SeriesDose:
    number = re.search(r"\d+", row.get("doseNumber", ""))
    season = row.get("seasonalRecommendation") or {}
    return m.SeriesDose(
        number=int(number[0]) if number else index,
        ages=tuple(map(_age, many(row.get("age")))),
        intervals=tuple(found for each in many(row.get("interval")) if (found := _interval(each))),
        allowable_intervals=tuple(
            found for each in many(row.get("allowableInterval")) if (found := _interval(each))
        ),
        preferable=_by_code(_vaccine(each) for each in many(row.get("preferableVaccine"))),
        allowable=_by_code(_vaccine(each) for each in many(row.get("allowableVaccine"))),
        inadvertent=frozenset(cvx(each["cvx"]) for each in many(row.get("inadvertentVaccine")) if each.get("cvx")),
        skips=tuple(skip for each in many(row.get("conditionalSkip")) if (skip := _skip(each))),
        recurring=_yes(row.get("recurringDose")),
        season_start=_date(season.get("startDate")),
        season_end=_date(season.get("endDate")),
    )


def _age(row: Document) -> m.AgeRule:
    return m.AgeRule(
        abs_min=_duration(row.get("absMinAge")),
        minimum=_duration(row.get("minAge")),
        earliest=_duration(row.get("earliestRecAge")),
        latest=_duration(row.get("latestRecAge")),
        maximum=_duration(row.get("maxAge")),
        effective=_date(row.get("effectiveDate")),
        cessation=_date(row.get("cessationDate")),
    )


def _interval(row: Document) -> m.Interval | None:
    target = _stated(row.get("fromTargetDose"))
    observation = _stated((row.get("fromRelevantObs") or {}).get("code"))
    previous, recent = _yes(row.get("fromPrevious")), frozenset(map(cvx, _split(row.get("fromMostRecent"))))
    if not (previous or target or recent or observation):
        return None
    return m.Interval(
        from_previous=previous,
        from_target=None if previous or not target else int(target),
        from_recent=frozenset() if previous else recent,
        from_observation=None if previous else observation,
        abs_min=_duration(row.get("absMinInt")),
        minimum=_duration(row.get("minInt")),
        earliest=_duration(row.get("earliestRecInt")),
        latest=_duration(row.get("latestRecInt")),
        priority=row.get("intervalPriority", "").casefold() in ("override", "y", "yes"),
        effective=_date(row.get("effectiveDate")),
        cessation=_date(row.get("cessationDate")),
    )


def _vaccine(row: Document) -> m.Vaccine:
    volume = _stated(row.get("volume"))
    return m.Vaccine(
        cvx(row.get("cvx", "")),
        row.get("vaccineType", ""),
        *_ages(row),
        row.get("mvx", "") if row.get("tradeName") else "",
        float(volume) if volume else None,
        _yes(row.get("forecastVaccineType")),
    )


def _skip(row: Document) -> m.Skip | None:
    context = row.get("context", "").casefold()
    sets = tuple(map(_set, many(row.get("set"))))
    if not sets or context not in ("evaluation", "forecast", "both"):
        return None
    return m.Skip(context != "forecast", context != "evaluation", row.get("setLogic", "").casefold() == "and", sets)


def _set(row: Document) -> m.SkipSet:
    return m.SkipSet(
        row.get("setID", ""),
        row.get("setDescription", ""),
        row.get("conditionLogic", "").casefold() != "or",
        tuple(map(_condition, many(row.get("condition")))),
        *_period(row),
    )


_KINDS: Mapping[str, Literal["age", "completed", "interval"]] = {
    "age": "age",
    "completed series": "completed",
    "interval": "interval",
}
_LOGICS: Mapping[str, Literal["greater than", "equal to", "less than"]] = {
    "greater than": "greater than",
    "equal to": "equal to",
    "equal": "equal to",
    "less than": "less than",
}


def _condition(row: Document) -> m.Condition:
    begin, end = _ages(row)
    return m.Condition(
        kind=_KINDS.get(row["conditionType"].casefold().strip(), "count"),
        start=_date(row.get("startDate")),
        end=_date(row.get("endDate")),
        begin_age=begin,
        end_age=end,
        interval=_duration(row.get("interval")),
        count=int(row.get("doseCount", 0)),
        valid_only=row.get("doseType", "").casefold() == "valid",
        logic=_LOGICS[row.get("doseCountLogic", "equal to").casefold().strip()],
        vaccines=frozenset(map(cvx, _split(row.get("vaccineTypes")))),
        groups=frozenset(_split(row.get("seriesGroups"))),
    )


def _contraindication(row: Document) -> m.Contraindication:
    vaccines: dict[str, tuple[tuple[Duration | None, Duration | None], ...]] = {}
    for each in many(row.get("contraindicatedVaccine")):
        code = cvx(each["cvx"])
        vaccines[code] = (*vaccines.get(code, ()), _ages(each))
    return m.Contraindication(row["observationCode"], row.get("contraindicationText", ""), *_ages(row), vaccines)


def _association(row: Document) -> m.Association:
    return m.Association(
        row["antigen"], _duration(row.get("associationBeginAge")), _duration(row.get("associationEndAge"))
    )


def _conflicts(rows: Iterable[Document]) -> dict[str, dict[str, m.Conflict]]:
    found: dict[str, dict[str, m.Conflict]] = {}
    for row in rows:
        end = _duration(row.get("conflictEndInterval")) or Duration(0, 0)
        found.setdefault(cvx(row["current"]["cvx"]), {})[cvx(row["previous"]["cvx"])] = m.Conflict(
            _duration(row.get("conflictBeginInterval")) or Duration(0, 0),
            _duration(row.get("minConflictEndInterval")) or end,
            end,
        )
    return found


def _coded(row: Document) -> Iterable[tuple[str, str]]:
    for block in many(row.get("codedValues")):
        for each in many(block.get("codedValue")):
            if each.get("code") and each.get("codeSystem"):
                yield each["codeSystem"].upper(), each["code"]


def _crosswalked(row: Document | None) -> Iterable[tuple[str, str]]:
    for system, codes in (row or {}).items():
        for each in many(codes):
            yield system.upper(), each["code"]


def _by_code(vaccines: Iterable[m.Vaccine]) -> dict[str, tuple[m.Vaccine, ...]]:
    found: dict[str, tuple[m.Vaccine, ...]] = {}
    for vaccine in vaccines:
        if vaccine.code:
            found[vaccine.code] = (*found.get(vaccine.code, ()), vaccine)
    return found


def _rows(body: Document, block: str, row: str) -> list[Any]:
    return many((body.get(block) or {}).get(row))


def _ages(row: Document) -> tuple[Duration | None, Duration | None]:
    return _duration(row.get("beginAge")), _duration(row.get("endAge"))


def _period(row: Document) -> tuple[dt.date | None, dt.date | None]:
    return _date(row.get("effectiveDate")), _date(row.get("cessationDate"))


def _stated(value: str | None) -> str | None:
    return None if value is None or value.strip().casefold() in ("", "n/a") else value.strip()


def _duration(value: str | None) -> Duration | None:
    stated = _stated(value)
    return None if stated is None else parse(stated)


@lru_cache(maxsize=1024)
def _date(value: str | None) -> dt.date | None:
    stated = _stated(value)
    if stated is None:
        return None
    if american := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", stated):
        return dt.date(int(american[3]), int(american[1]), int(american[2]))
    return dt.date.fromisoformat(stated)


def _split(value: str | None) -> list[str]:
    return [each.strip() for each in re.split(r"[;,]", _stated(value) or "") if each.strip()]


def _yes(value: str | None) -> bool:
    return (value or "").casefold() in ("y", "yes")


def _placed(key: str, row: Document, build: Callable[[Document], _T], place: str = "") -> _T:
    try:
        return build(row)
    except InputError as error:
        if key == "antigen":
            raise error.within(_named(key, row)) from error
        raise
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        name = place or _named(key, row)
        raise InputError(
            Text(f"donnée hors du schéma\u202f: {error}", f"data outside the schema: {error}"), str(name)
        ) from error


def _named(key: str, row: Document) -> str:
    first = (many(row.get("series")) or [{}])[0]
    return str(row.get(key) or (first.get("targetDisease") if isinstance(first, dict) else "") or "?")
