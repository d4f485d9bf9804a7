"""One section of clinic.toml's [sources]: files of one shape from one system."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from rapport.warehouse.clinic_file.formats import Format, format_of
from rapport.warehouse.clinic_file.forms import Form, Words, read_form, words_of
from rapport.warehouse.clinic_file.identifiers import Writing, refuse_pattern
from rapport.warehouse.clinic_file.statuses import Statuses, constant_status, statuses_of
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.presets import load_presets, merged, with_preset
from rapport.warehouse.schema.columns import SEXES
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.toml_keys.keys import Key, keys_of, read, within
from rapport.warehouse.toml_keys.kinds import name_in_one_line, one_of, time_span

PLAIN_KINDS = keys_of("of_formats")["records"].words
DIRECTIVES = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}  # of a file's name, with their digits
_TRANSLATION = Key("section", "The export's words, each with its meaning.", '{ "1" = "female" }', each="word")


@dataclass(frozen=True)
class ClientColumns:
    """Which columns of an export describe the client."""

    birth_date: str | None = None
    sex: Words | None = None


@dataclass(frozen=True)
class Source:
    """One section of clinic.toml: files of one shape from one system."""

    name: str
    format: Format
    records: str | None
    files: str
    exported_at: str | None
    time_zone: str
    id_space: str
    every: timedelta | None
    rater_is_person: bool  # whether a rater_id is always one person, so that two parents are two
    covers: str | None  # "all", or days back such as "90 days": a record it should hold and does not has vanished
    nulls: tuple[str, ...]
    decimal: str
    encoding: str
    clients: ClientColumns | None
    forms: tuple[Form, ...]
    # The section, its preset's with it, as canonical JSON: part of the reading's fingerprint. Not its id space, whose
    # name may change, and not what reads nothing otherwise.
    section: str
    client_id: tuple[str, ...]  # of REDCap: the field of the client's number, where records are numbered by themselves
    identifier: str | None  # of HL7: the type or the authority of the record numbers
    sheet: str | None
    header_row: int  # the record that holds the columns' names; what stands above it is no data
    footers: tuple[str, ...]  # a record that begins with one of these is no data
    dates: str
    columns: Mapping[str, tuple[str, ...]]  # canonical name -> the export's, joined
    constants: Mapping[str, str]  # canonical name -> the same in every record
    words: Mapping[str, Mapping[str, str]]  # canonical name -> the export's words
    status: Statuses | None
    lines: str  # of appointments; "visits": lines of one client, start and end are one session
    appointment_ids: str | None  # "one_client": an id that comes under another client is the same slot moved
    stands_alone: bool  # whether its clients and responses are meant to meet no appointments
    names_its_space: bool  # whether the section says whose record numbers it has, or a default does
    missing_ok: tuple[str, ...]  # the export's columns that may be missing
    writing: Writing  # how its clients' numbers are written
    memory: int  # bytes of a file that may be read, counted unpacked

    @property
    def must_name_its_space(self) -> bool:
        """Whether nothing but the clinic can say whose numbers these are: surveys and forms have clients of another
        system, or automatic record numbers."""
        holds_answers_alone = self.records is None and "appointments" not in self.format.holds
        return not self.names_its_space and (self.records == "responses" or bool(self.forms) or holds_answers_alone)

    def may_hold(self, kind: str) -> bool:
        """Whether its files may have records of a kind."""
        return kind == self.records or (self.records is None and kind in self.format.holds)

    @property
    def only_kind(self) -> str:
        """The kind that all of its records are of. Raises ValueError for a source of several kinds."""
        if self.records is None:
            raise ValueError(f"the format {self.format.name} holds several kinds; read them with a reader of its own")
        return self.records


def read_source(
    name: str, given: Mapping[str, Any], zone: str, instruments: Mapping[str, Instrument], memory: int
) -> Source:
    """A section. Raises ValueError with the key and what to do."""
    where = f"[sources.{name}]"
    name_in_one_line("the name of a section of [sources]", name)
    form, section = _completed(where, given)
    told = read(where, section, _keys(where, form, section))
    records = _records(where, name, form, told["records"])
    if told["lines"] == "visits" and records not in ("appointments", None):
        raise ValueError(f"{where} lines = 'visits' is about appointments, and its files hold {records}; remove it")
    own = {field.name: told[field.name] for field in fields(Source) if field.name in told}
    return Source(
        **own
        | {
            "name": name,
            "format": form,
            "records": records,
            "files": _files(where, form, records, told["files"]),
            "time_zone": told["time_zone"] or zone,
            "id_space": told["id_space"] or name,
            "covers": _covers(f"{where} covers", told["covers"], records or "responses"),
            "clients": _client_columns(within(where, "clients"), told["clients"]),
            "forms": _forms(where, name, form, section, instruments),
            "section": _fingerprinted(section),
            "words": {
                column: _TRANSLATION.read(within(where, "words"), column, told["words"][column])
                for column in told["words"]
            },
            "status": _statuses(where, form, records, told),
            "names_its_space": "id_space" in section,
            "writing": _writing(where, told),
            "memory": memory,
        }
    )


_READ_BY_TABLES = ("stands_alone", "rater_is_person")  # keys that change no record of the files


def _fingerprinted(section: Mapping[str, Any]) -> str:
    read_with = {key: value for key, value in section.items() if key not in _READ_BY_TABLES}
    return json.dumps({**read_with, "id_space": ""}, sort_keys=True, default=str)


def _writing(where: str, told: Mapping[str, Any]) -> Writing:
    """How the section says that its clients' numbers are written."""
    if told["id_pattern"] is not None:
        refuse_pattern(f"{where} id_pattern", told["id_pattern"])
    return Writing(told["id_pattern"], told["id_case"], told["id_zero_pad"])


def _completed(where: str, given: Mapping[str, Any]) -> tuple[Format, dict[str, Any]]:
    """A section's format, and the section over its preset's and its format's own. A format may have its preset."""
    own = {"preset": given["format"]} if str(given.get("format")) in load_presets() else {}
    section = with_preset(where, {**own, **given})
    form = format_of(f"{where} format", section.get("format", keys_of("source")["format"].default))
    return form, merged(form.source, section)


def _keys(where: str, form: Format, section: Mapping[str, object]) -> dict[str, Key]:
    """The keys that a section may have. Raises ValueError for one that its format does not take."""
    of_forms = keys_of("form") if form.form_in_section else {}
    for key in section:
        if key in keys_of("of_formats") and key not in (*form.takes, *of_forms):
            raise ValueError(f"{where} has the key '{key}', which the format {form.name} does not take; remove it")
    only_form = {name: replace(key, needed=False) for name, key in keys_of("form").items()}
    return keys_of("source", "of_formats") | (only_form if form.form_in_section else {})


def _files(where: str, form: Format, records: str | None, pattern: str | None) -> str:
    """The pattern of file names, whose directives must tell a day."""
    if pattern is None and form.name != "plain":
        raise ValueError(f"{where} has no key 'files'; add the pattern of its files' names")
    pattern, key = pattern or f"{records}*", f"{where} files"
    found = re.findall("%[A-Za-z]", pattern)
    if unknown := [each for each in found if each not in DIRECTIVES]:
        raise ValueError(f"{key} = '{pattern}' has the directive {unknown[0]}; known are {' '.join(DIRECTIVES)}")
    if len(set(found)) < len(found) or (found and not {"%Y", "%m"} <= set(found)):
        raise ValueError(
            f"{key} = '{pattern}' must have each directive once, %Y and %m among them, such as x_%Y-%m-%d*"
        )
    return pattern


def _records(where: str, name: str, form: Format, told: str | None) -> str | None:
    """The kind that all records are of; None of a format whose files hold answers to forms."""
    if "forms" in form.takes:
        return None
    if len(form.holds) == 1:
        return form.holds[0]
    return one_of(f"{where} records", told or (name if name in PLAIN_KINDS else None), PLAIN_KINDS)


def _forms(
    where: str, name: str, form: Format, section: Mapping[str, Any], instruments: Mapping[str, Instrument]
) -> tuple[Form, ...]:
    """The section's forms; the only one may stand in the section itself, where its format has it so."""
    place, sections = within(where, "forms"), section.get("forms", {})
    if not form.form_in_section:
        return tuple(read_form(within(place, each), each, sections[each], form, instruments) for each in sections)
    shared = {key: value for key, value in section.items() if key in keys_of("form")}
    if not sections:
        return (read_form(where, name, shared, form, instruments),)
    return tuple(
        read_form(within(place, each), each, {**shared, **sections[each]}, form, instruments) for each in sections
    )


def _statuses(where: str, form: Format, records: str | None, told: Mapping[str, Any]) -> Statuses | None:
    if "status" not in form.takes or not (records == "appointments" or told["status"]):
        return None
    if "status" in told["constants"]:
        return constant_status(where, told)
    status = told["status"] or read(within(where, "status"), {}, keys_of("status"))
    return statuses_of(within(where, "status"), {**status, "column": told["columns"].get("status", status["column"])})


def _client_columns(where: str, told: Mapping[str, Any] | None) -> ClientColumns | None:
    if told is None:
        return None
    sex = words_of(within(where, "sex"), told["sex"], SEXES) if told["sex"] else None
    return ClientColumns(birth_date=told["birth_date"], sex=sex)


def _covers(key: str, text: str | None, records: str) -> str | None:
    """What an export claims to hold: everything, or the records dated in so many days before it was made."""
    if text in (None, "all"):
        return text
    if not re.fullmatch("[0-9]{1,20} days", text) or time_span(key, text).days < 2:
        raise ValueError(f"{key} = '{text}' is neither 'all' nor a number of days, two or more, such as '90 days'")
    if not KINDS[records].dated_by:
        raise ValueError(f"{key} = '{text}': {records} have no day of their own; use 'all', or leave it out")
    return f"{time_span(key, text).days} days"
