"""One section of clinic.toml's [sources]: files of one shape from one system."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from rapport.warehouse.clinic_file.forms import FORM_KEYS, Form, Words, read_form, read_words
from rapport.warehouse.clinic_file.identifiers import CASES, PLAIN, Writing, refuse_pattern
from rapport.warehouse.clinic_file.memory import USUAL_LEAST
from rapport.warehouse.clinic_file.statuses import Statuses, read_statuses
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.presets import with_preset
from rapport.warehouse.schema.columns import SEXES
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.toml_keys import known, name_in_one_line, one_of, time_span, zone_name

PLAIN_KINDS = ("clients", "episodes", "appointments", "responses")
BOOKINGS = ("simplepractice", "cliniko", "openemr", "hl7_siu")  # formats that hold appointments and nothing else
SURVEYS = ("wide", "qualtrics", "surveymonkey")  # one questionnaire may be declared without a section of forms
FORMATS = ("plain", "redcap", "wide", "table", *SURVEYS[1:], "fhir", *BOOKINGS)
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "mac-roman")
DATES = ("iso", "day_first", "month_first", "decide")
DIRECTIVES = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}  # of a file's name, with their digits

# Every key, with its kind of value.
_KEYS = {
    "format": "text",
    "preset": "text",
    "records": "text",
    "files": "text",
    "exported_at": "text",
    "time_zone": "text",
    "id_space": "text",
    "id_pattern": "text",
    "id_case": "text",
    "id_zero_pad": "count",
    "every": "text",
    "covers": "text",
    "nulls": "words",
    "decimal": "text",
    "encoding": "text",
    "sheet": "text",
    "header_row": "count",
    "footers": "texts",
    "dates": "text",
    "columns": "section",
    "constants": "section",
    "words": "section",
    "status": "section",
    "clients": "section",
    "forms": "section",
}
_CLIENTS = {"birth_date": "text", "sex": "section"}


@dataclass(frozen=True)
class ClientColumns:
    """Which columns of an export describe the client."""

    birth_date: str | None = None
    sex: Words | None = None


@dataclass(frozen=True)
class Source:
    """One section of clinic.toml: files of one shape from one system."""

    name: str
    format: str
    records: str | None
    files: str
    exported_at: str | None
    time_zone: str
    id_space: str
    every: timedelta | None
    covers: str | None  # "all", or days back such as "90 days": a record it should hold and does not has vanished
    nulls: tuple[str, ...]
    decimal: str
    encoding: str
    clients: ClientColumns | None
    forms: tuple[Form, ...]
    # The section, its preset's with it, as canonical JSON: part of the reading's fingerprint. Not its id space, whose
    # name may change.
    section: str
    sheet: str | None = None
    header_row: int = 1  # the record that holds the columns' names; what stands above it is no data
    footers: tuple[str, ...] = ()  # a record that begins with one of these is no data
    dates: str = "iso"
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # canonical name -> the export's, joined
    constants: Mapping[str, str] = field(default_factory=dict)  # canonical name -> the same in every record
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # canonical name -> the export's words
    status: Statuses | None = None
    names_its_space: bool = True  # whether the section says whose record numbers it has, or a default does
    writing: Writing = PLAIN  # how its clients' numbers are written
    memory: int = USUAL_LEAST  # bytes of a file that may be read, counted unpacked

    @property
    def must_name_its_space(self) -> bool:
        """Whether nothing but the clinic can say whose numbers these are: surveys and forms have clients of another
        system, or automatic record numbers."""
        is_survey = self.format in ("redcap", *SURVEYS) or bool(self.forms)
        is_survey |= self.format == "table" and self.records == "responses"
        return is_survey and not self.names_its_space


def read_source(name: str, given: dict, zone: str, instruments: Mapping[str, Instrument]) -> Source:
    """A section. Raises ValueError with the key and what to do."""
    where = f"[sources.{name}]"
    name_in_one_line("the name of a section of [sources]", name)
    kind = given.get("format")
    section = with_preset(where, {"preset": kind, **given} if kind in (*BOOKINGS, *SURVEYS[1:], "fhir") else given)
    kind = section.get("format", "plain")
    one_of(f"{where} format", kind, FORMATS)
    known(where, section, _KEYS | FORM_KEYS if kind in SURVEYS else _KEYS)
    records = _records(where, name, kind, section)
    if "files" not in section and kind != "plain":
        raise ValueError(f"{where} has no key 'files'; add the pattern of its files' names")
    return Source(
        name=name,
        format=kind,
        records=records,
        files=_files(f"{where} files", section.get("files", f"{records}*")),
        exported_at=section.get("exported_at"),
        time_zone=zone_name(f"{where} time_zone", section.get("time_zone", zone)),
        id_space=name_in_one_line(f"{where} id_space", section.get("id_space", "clinic" if kind == "plain" else name)),
        every=time_span(f"{where} every", section["every"]) if "every" in section else None,
        covers=_covers(f"{where} covers", section.get("covers"), records or "responses"),
        nulls=tuple(str(word) for word in section.get("nulls", ())),
        decimal=one_of(f"{where} decimal", section.get("decimal", "."), (".", ",")),
        encoding=one_of(f"{where} encoding", section.get("encoding", "utf-8"), ENCODINGS),
        clients=_client_columns(where, section.get("clients")),
        forms=_forms(where, name, kind, section, instruments),
        section=json.dumps({**section, "id_space": ""}, sort_keys=True, default=str),
        sheet=section.get("sheet"),
        header_row=section.get("header_row", 1),
        footers=tuple(section.get("footers", ())),
        dates=one_of(f"{where} dates", section.get("dates", "decide" if kind == "table" else "iso"), DATES),
        columns=_columns(where, section.get("columns", {})),
        constants=_texts(f"{where[:-1]}.constants]", section.get("constants", {})),
        words=_translations(where, section.get("words", {})),
        status=_statuses(where, kind, records, section),
        names_its_space="id_space" in section,
        writing=_writing(where, section),
    )


def _writing(where: str, section: dict) -> Writing:
    """How the section says that its clients' numbers are written."""
    pattern, case = section.get("id_pattern"), section.get("id_case")
    if pattern is not None:
        refuse_pattern(f"{where} id_pattern", pattern)
    if case is not None:
        one_of(f"{where} id_case", case, CASES)
    return Writing(pattern, case, section.get("id_zero_pad"))


def _files(key: str, pattern: str) -> str:
    """The pattern of file names, whose directives must tell a day."""
    found = re.findall("%[A-Za-z]", pattern)
    if unknown := [each for each in found if each not in DIRECTIVES]:
        raise ValueError(f"{key} = '{pattern}' has the directive {unknown[0]}; known are {' '.join(DIRECTIVES)}")
    if len(set(found)) < len(found) or (found and not {"%Y", "%m"} <= set(found)):
        raise ValueError(
            f"{key} = '{pattern}' must have each directive once, %Y and %m among them, such as x_%Y-%m-%d*"
        )
    return pattern


def _records(where: str, name: str, kind: str, section: dict) -> str | None:
    if kind in BOOKINGS:
        return "appointments"
    if kind not in ("plain", "table"):
        return None
    return one_of(f"{where} records", section.get("records", name if name in PLAIN_KINDS else None), PLAIN_KINDS)


def _forms(where: str, name: str, kind: str, section: dict, instruments: Mapping[str, Instrument]) -> tuple[Form, ...]:
    """The section's forms; a survey's only form may stand in the section itself."""
    forms = section.get("forms", {})
    known(f"{where[:-1]}.forms]", forms, dict.fromkeys(forms, "section"))
    if kind in SURVEYS:
        shared = {key: value for key, value in section.items() if key in FORM_KEYS}
        forms = {form: {**shared, **keys} for form, keys in forms.items()} or {name: shared}
    place = "{}" if kind in SURVEYS and "forms" not in section else f"{where[:-1]}.forms.{{}}]"
    return tuple(
        read_form(where if place == "{}" else place.format(form), form, keys, kind, instruments)
        for form, keys in forms.items()
    )


def _statuses(where: str, kind: str, records: str | None, section: dict) -> Statuses | None:
    if kind == "plain" or not (records == "appointments" or "status" in section):
        return None
    named = {"column": section["columns"]["status"]} if "status" in section.get("columns", {}) else {}
    return read_statuses(f"{where[:-1]}.status]", {**section.get("status", {}), **named})


def _columns(where: str, facts: Mapping) -> dict[str, tuple[str, ...]]:
    known(f"{where[:-1]}.columns]", facts, dict.fromkeys(facts, "text or texts"))
    return {name: (told,) if isinstance(told, str) else tuple(told) for name, told in facts.items()}


def _texts(where: str, facts: Mapping) -> dict[str, str]:
    known(where, facts, dict.fromkeys(facts, "text"))
    return dict(facts)


def _translations(where: str, facts: Mapping) -> dict[str, dict[str, str]]:
    known(f"{where[:-1]}.words]", facts, dict.fromkeys(facts, "section"))
    for name, words in facts.items():
        known(f"{where[:-1]}.words.{name}]", words, dict.fromkeys(words, "word"))
    return {name: {word: str(meaning) for word, meaning in words.items()} for name, words in facts.items()}


def _client_columns(where: str, keys: dict | None) -> ClientColumns | None:
    if keys is None:
        return None
    where = f"{where[:-1]}.clients]"
    known(where, keys, _CLIENTS)
    sex = read_words(f"{where} sex", keys["sex"], SEXES) if "sex" in keys else None
    return ClientColumns(birth_date=keys.get("birth_date"), sex=sex)


def _covers(key: str, text: str | None, records: str) -> str | None:
    """What an export claims to hold: everything, or the records dated in so many days before it was made."""
    if text in (None, "all"):
        return text
    if not re.fullmatch("[0-9]{1,20} days", text) or time_span(key, text).days < 2:
        raise ValueError(f"{key} = '{text}' is neither 'all' nor a number of days, two or more, such as '90 days'")
    if not KINDS[records].dated_by:
        raise ValueError(f"{key} = '{text}': {records} have no day of their own; use 'all', or leave it out")
    return f"{time_span(key, text).days} days"
