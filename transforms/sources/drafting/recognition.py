"""What a file seems to be: its format, the questionnaires among its columns, the system whose words it writes.

A draft for somebody to read and correct: nothing here is used on a night.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.drafting.columns import Column, columns_of, filled
from rapport.transforms.sources.drafting.fhir_forms import linked_forms
from rapport.transforms.sources.drafting.headers import Opened, opened, survey_tool
from rapport.transforms.sources.drafting.questionnaires import Questionnaire, recognised
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.json_records import first_value
from rapport.transforms.sources.opening.shape import RECORD
from rapport.transforms.sources.plain import NEEDED
from rapport.transforms.sources.simplepractice import COLUMNS as ATTENDANCE
from rapport.transforms.sources.structures.eav import NAMED, is_eav
from rapport.transforms.sources.structures.fhir_resources import resources
from rapport.warehouse.clinic_file.statuses import PLUS
from rapport.warehouse.errors import Refused
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.presets import load_presets
from rapport.warehouse.schema.columns import STATUSES

FEW = 30  # different values of a column that may be a vocabulary
KNOWN_SHARE = 0.6  # of them that a system must know
MANY = 4  # columns of short answers, from which on a table is taken for a survey
_RESOURCE = re.compile(r"[A-Z][A-Za-z]{1,40}")
_OF_STATUS = re.compile(r"stat|attend|outcome", re.IGNORECASE)  # codes alone may be of anything
_ANSWER = r"^\d{1,2}([.,]\d+)?$"


@dataclass
class Found:
    """A file, as far as it was recognised."""

    path: Path
    told: str  # what it is, in words
    format: str = "table"
    preset: str | None = None
    records: str | None = None
    header: list[str] = field(default_factory=list)
    columns: Sequence[Column] = ()  # with their first values
    keys: Mapping[str, Any] = field(default_factory=dict)  # of clinic.toml: how it is opened, and what it calls its own
    questionnaires: Sequence[Questionnaire] = ()
    status: str | None = None  # the column with the words
    unknown: list[str] = field(default_factory=list)  # words that the system's vocabulary has not
    links: Mapping[str, list[str]] = field(default_factory=dict)  # of FHIR: questionnaire -> its linkIds


def recognise(path: Path, instruments: Mapping[str, Instrument], encoding: str | None = None) -> list[Found]:
    """What a file seems to be; of a workbook each sheet with data. Raises Refused when it is no data file."""
    content = content_of(path)
    if content.kind == "json":
        return [_json(path, content, instruments)]
    if content.kind == "text" and content.start.lstrip(b"\x0b\r\n ").startswith((b"MSH|", b"FHS|", b"BHS|")):
        return [Found(path, "HL7 v2 messages", "hl7_siu")]
    return [_table(path, each, instruments) for each in opened(content, encoding)]


def _table(path: Path, table: Opened, instruments: Mapping[str, Instrument]) -> Found:
    export, sample = table.export, _sample(table.export)
    found = _of_header(path, export, table.kind)
    found.columns = _fields(sample, export) if is_eav(export) else columns_of(export.header, sample)
    found.questionnaires = recognised(found.columns, instruments)
    if found.format == "table":
        _by_content(found, export)
    found.keys = {**found.keys, **table.keys}
    sheet = f", sheet {table.keys['sheet']}" if "sheet" in table.keys else ""
    found.told += f"{sheet}, {len(export.header)} columns, {sample.height} records looked at"
    return found


def _by_content(found: Found, export: Export) -> None:
    """A survey, by its questionnaires or its tool; else by a system's words, or by what stands in its columns."""
    tool, own = survey_tool(export)
    if found.questionnaires or tool:
        found.format, found.preset, found.keys = "wide", tool, own
        return
    _by_words(found)
    if found.status:
        return
    if any(each.sounds_like(r"birth|\bdob\b") for each in found.columns):
        found.records = "clients"
    elif len([each for each in found.columns if _holds_answers(each)]) >= MANY:
        found.format = "wide"


def _holds_answers(column: Column) -> bool:
    return column.values.len() > 0 and column.values.str.contains(_ANSWER).all() and not column.sounds_like(r"\bid\b")


def _json(path: Path, content: Content, instruments: Mapping[str, Instrument]) -> Found:
    value = first_value(content)
    try:
        named = {kind for each in resources(value) if isinstance(kind := each.get("resourceType"), str)}
    except Refused:
        return Found(path, "JSON, perhaps of Cliniko", "cliniko")
    kinds = sorted(filter(_RESOURCE.fullmatch, named))
    links, clients = linked_forms(content)
    made = Found(path, f"FHIR: {', '.join(kinds) or 'a log, no resources'}", "fhir", header=kinds, links=links)
    made.columns = [Column(1, "client", "client", filled(pl.Series("value", clients, pl.String)))]
    made.questionnaires = [
        replace(each, form=form) for form, items in links.items() for each in recognised(_linked(items), instruments)
    ]
    return made


def _linked(items: Iterable[str]) -> list[Column]:
    """The items of a FHIR questionnaire as columns, by their linkIds."""
    return [Column(n, link, link, pl.Series("value", [], pl.String)) for n, link in enumerate(items, start=1)]


def _sample(export: Export) -> pl.DataFrame:
    columns = [f"#{place}" for place in range(1, len(export.header) + 1)]
    export.need(columns)
    return next(export.chunks, pl.DataFrame(schema={RECORD: pl.Int32} | dict.fromkeys(columns, pl.String)))


def _fields(sample: pl.DataFrame, export: Export) -> list[Column]:
    """The fields of REDCap's EAV export, as its flat export would have them for columns."""
    record, name, value = (sample[f"#{export.place(column) + 1}"] for column in NAMED)
    named = name.str.strip_chars()
    fields = [each for each in named.unique(maintain_order=True).drop_nulls() if each != "record"]
    told = [Column(n, field, field, filled(value.filter(named == field))) for n, field in enumerate(fields, start=2)]
    return [Column(1, "record", "record", filled(record)), *told]


def _of_header(path: Path, export: Export, kind: str) -> Found:
    names = set(export.header)
    if kind != "table":
        return Found(path, f"a {kind.capitalize()} export", kind, header=export.header)
    for records, needed in NEEDED.items():
        if names >= set(needed) and (records != "clients" or names & {"birth_date", "sex"}):
            return Found(path, f"the plain format: {records}", "plain", records=records, header=export.header)
    if "pc_eid" in names:
        return Found(path, "OpenEMR's calendar", "openemr", header=export.header)
    if names >= {*ATTENDANCE.values(), "status"}:
        return Found(path, "SimplePractice's client attendance", "simplepractice", header=export.header)
    is_redcap = any(name.startswith("redcap_") or name.endswith("_complete") for name in names)
    if is_redcap or names >= set(NAMED):
        return Found(path, "a REDCap export", "redcap", header=export.header)
    return Found(path, "a table", header=export.header)


def _by_words(found: Found) -> None:
    """The column whose words a known system writes."""
    best = (KNOWN_SHARE, 0)
    for column in found.columns:
        words = set(column.values.unique())
        if not 2 <= len(words) <= FEW or (all(map(str.isdigit, words)) and not _OF_STATUS.search(column.name)):
            continue
        for preset, known in vocabularies():
            met = {word for word in words if plain(word) in known}
            if (len(met) / len(words), len(met)) > best:
                best = (len(met) / len(words), len(met))
                found.status, found.unknown = column.key, sorted(words - met)
                found.preset, found.records = (None if preset == "plain" else preset), "appointments"


def vocabularies() -> Iterator[tuple[str, set[str]]]:
    """The words for attendance of the plain format, and of each preset, as they are compared."""
    yield "plain", set(STATUSES)
    for name, preset in load_presets().items():
        if preset.section["format"] == "table":
            yield name, {plain(word.partition(PLUS)[0]) for word in preset.section["status"]["words"]}
