"""What a file seems to be: its format, the questionnaires among its columns, the system whose words it writes.

A draft for somebody to read and correct: nothing here is used on a night.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from rapport.transforms.sources import qualtrics, surveymonkey
from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.json_records import first_value
from rapport.transforms.sources.opening.shape import RECORD, Shape
from rapport.transforms.sources.opening.tables import open_content
from rapport.transforms.sources.plain import NEEDED
from rapport.transforms.sources.simplepractice import COLUMNS as ATTENDANCE
from rapport.transforms.sources.structures.eav import NAMED
from rapport.transforms.sources.structures.fhir_resources import resources
from rapport.warehouse.clinic_file.statuses import PLUS
from rapport.warehouse.errors import Refused
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.presets import load_presets
from rapport.warehouse.schema.columns import STATUSES

LOOKS_AT = 4 << 20  # bytes of a table that are looked at
FEW = 30  # different values of a column that may be a vocabulary
KNOWN_SHARE = 0.6  # of them that a system must know
_RESOURCE = re.compile(r"[A-Z][A-Za-z]{1,40}")
_NUMBERED = re.compile(r"^(.*?)(?:[\s_.\-]+(?:item|q))?[\s_.\-]*0*(\d{1,2})$", re.IGNORECASE)
_OF_STATUS = re.compile(r"stat|attend|outcome", re.IGNORECASE)  # codes alone may be of anything


@dataclass
class Found:
    """A file, as far as it was recognised."""

    path: Path
    told: str  # what it is, in words
    format: str = "table"
    preset: str | None = None
    records: str | None = None
    header: list[str] = field(default_factory=list)
    instruments: Mapping[str, list[str]] = field(default_factory=dict)  # name -> the columns of its items
    status: str | None = None  # the column with the words
    sample: pl.DataFrame | None = None  # its first records, the columns named by their places
    unknown: list[str] = field(default_factory=list)  # words that the system's vocabulary has not


def recognise(path: Path, instruments: Mapping[str, Instrument]) -> Found:
    """What a file seems to be. Raises Refused when it is no data file."""
    content = content_of(path)
    if content.kind == "json":
        return _json(path, content)
    if content.kind == "text" and content.start.lstrip(b"\x0b\r\n ").startswith((b"MSH|", b"FHS|", b"BHS|")):
        return Found(path, "HL7 v2 messages", "hl7_siu")
    export, kind = _table(content)
    sample = _sample(export)
    found = _of_header(path, export, kind)
    found.sample = sample
    found.instruments = recognised_items(export.header, instruments)
    if found.format == "table" and not found.instruments:
        _by_words(found, sample)
    elif found.format == "table":
        found.format = "wide"
    found.told += f", {len(export.header)} columns, {sample.height} records looked at"
    return found


def _json(path: Path, content: Content) -> Found:
    value = first_value(content)
    try:
        named = {kind for each in resources(value) if isinstance(kind := each.get("resourceType"), str)}
        kinds = sorted(filter(_RESOURCE.fullmatch, named))
        return Found(path, f"FHIR: {', '.join(kinds) or 'a log, no resources'}", "fhir", header=kinds)
    except Refused:
        return Found(path, "JSON, perhaps of Cliniko", "cliniko")


def _table(content: Content) -> tuple[Export, str]:
    """Parquet and a file of blank lines have no header rows to tell a survey tool by."""
    for kind, reads, rows in (("qualtrics", qualtrics.header, 3), ("surveymonkey", surveymonkey.header, 2)):
        try:
            export = open_content(content, Shape(chunk=LOOKS_AT, rows_of_header=rows, read_header=reads))
        except Refused:
            continue
        if export.header and content.kind != "parquet":
            return export, kind
    return open_content(content, Shape(chunk=LOOKS_AT)), "table"


def _sample(export: Export) -> pl.DataFrame:
    columns = [f"#{place}" for place in range(1, len(export.header) + 1)]
    export.need(columns)
    return next(export.chunks, pl.DataFrame(schema={RECORD: pl.Int32} | dict.fromkeys(columns, pl.String)))


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
    if names >= set(NAMED) or any(name.startswith("redcap_") or name.endswith("_complete") for name in names):
        return Found(path, "a REDCap export", "redcap", header=export.header)
    return Found(path, "a table", preset=_survey_tool(export), header=export.header)


def _survey_tool(export: Export) -> str | None:
    """The survey tool whose own columns are all there, the one with the most of them."""
    own = {
        name: [preset.section[key] for key in ("response_id", "completed_at") if key in preset.section]
        for name, preset in load_presets().items()
        if preset.section["format"] == "wide"
    }
    there = {name: len(columns) for name, columns in own.items() if all(map(export.has, columns))}
    return max(there, key=lambda name: there[name], default=None)


def recognised_items(header: Iterable[str], instruments: Mapping[str, Instrument]) -> dict[str, list[str]]:
    """The instruments all of whose items are among the columns, numbered after a name like theirs."""
    groups: dict[str, dict[int, str]] = {}
    for name in header:
        if match := _NUMBERED.match(name):
            groups.setdefault(_bare(match[1]), {}).setdefault(int(match[2]), name)
    found = {}
    for name, instrument in instruments.items():
        for prefix in {_bare(name), _bare(name).removesuffix(str(instrument.item_count))}:
            places = groups.get(prefix, {})
            if instrument.item_count and set(range(1, instrument.item_count + 1)) <= places.keys():
                found[name] = [places[number] for number in range(1, instrument.item_count + 1)]
    return found


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _by_words(found: Found, sample: pl.DataFrame) -> None:
    """The column whose words a known system writes."""
    best = (KNOWN_SHARE, 0)
    for place, name in enumerate(found.header, start=1):
        words = {word.strip() for word in sample[f"#{place}"].unique().drop_nulls() if word.strip()}
        if not 2 <= len(words) <= FEW or (all(map(str.isdigit, words)) and not _OF_STATUS.search(name)):
            continue
        for preset, known in _vocabularies().items():
            met = {word for word in words if plain(word) in known}
            if (len(met) / len(words), len(met)) > best:
                best = (len(met) / len(words), len(met))
                found.status, found.unknown = name, sorted(words - met)
                found.preset, found.records = (None if preset == "plain" else preset), "appointments"


def _vocabularies() -> dict[str, set[str]]:
    told = {
        name: {plain(word.partition(PLUS)[0]) for word in preset.section["status"]["words"]}
        for name, preset in load_presets().items()
        if preset.section["format"] == "table"
    }
    return {"plain": set(STATUSES), **told}
