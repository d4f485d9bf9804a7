"""A draft of clinic.toml for files that were recognised: what to read, correct and try with --check."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from rapport.transforms.sources.drafting.id_spaces import Space, numbers_of, space_lines
from rapport.transforms.sources.drafting.recognition import Found
from rapport.transforms.sources.plain import NEEDED, OPTIONAL
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.columns import STATUSES

HEAD = """\
# A draft: read it, correct what is marked with ?, then run rapport night with --check.
time_zone = "UTC"  # ? the clinic's own, such as "Europe/London"
"""
# What the columns of an export are often called.
_CALLED = {
    "client_id": r"client|patient|participant|subject|record.?id|study.?id|\bmrn\b|user|who",
    "therapist_id": r"therapist|clinician|provider|practitioner|counsel+or|staff|seen by",
    "appointment_id": r"appointment.?(id|no|number|ref)|booking|event.?id|^(id|ref|no)\.?$",
    "starts_at": r"start|date|when|\bday\b|from",
    "cancelled_at": r"cancel+(ed|lation).*(at|on|date|time)|date.*cancel",
    "duration_minutes": r"duration|minutes|length",
    "service": r"service|appointment.?type|\btype\b",
    "site": r"\bsite\b|location|office|branch",
}


def draft(found: list[Found], instruments: dict[str, Instrument]) -> str:
    """The draft as TOML; files of one pattern share a section."""
    licences = sorted({name for each in found for name in each.instruments if instruments[name].licence_needed})
    head = HEAD + (f"licences = {json.dumps(licences)}  # ? only where the clinic holds them\n" if licences else "")
    named: dict[tuple[str, str], tuple[str, Found]] = {}
    for each in found:
        key = (files_pattern(each.path.name), each.format)
        if key not in named:
            named[key] = (_name(each, {name for name, _ in named.values()}), each)
    booked = [(_space(name, each), _numbers(each)) for name, each in named.values() if _is_booked(each)]
    sections = ["\n".join(_section(each, key[0], name, booked)) for key, (name, each) in named.items()]
    return "\n\n".join([head, *sections]) + "\n"


def _is_booked(found: Found) -> bool:
    """Whether it is the practice system's: its clients are those that appointments are booked for."""
    return not _is_survey(found) and found.records in (None, "appointments", "clients", "episodes")


def _is_survey(found: Found) -> bool:
    holds = load_formats()[found.format].holds
    return found.format != "table" and "responses" in holds and ("appointments" not in holds or bool(found.instruments))


def _space(name: str, found: Found) -> str:
    return "clinic" if found.format == "plain" else name


def _numbers(found: Found) -> frozenset[str]:
    """The clients' numbers among the records that were looked at."""
    if found.sample is None or not found.header:
        return frozenset()
    column = _called(found.header, "client_id") or found.header[0]
    return numbers_of(found.sample[f"#{found.header.index(column) + 1}"])


def files_pattern(name: str) -> str:
    """A file's name with what says when it was exported as directives, and * for a number alone and for no UTF-8."""
    name = re.sub(r"[\ud800-\udfff]+", "*", name)
    told = re.sub(r"(?<!\d)(19|20)\d{2}-(0\d|1[0-2])-([0-2]\d|3[01])(?!\d)", "%Y-%m-%d", name, count=1)
    if told == name:
        told = re.sub(r"(?<!\d)20\d{2}(0\d|1[0-2])([0-2]\d|3[01])(?!\d)", "%Y%m%d", name, count=1)
    if "%d" in told:
        told = re.sub(r"(%d[_T\- ])([01]\d|2[0-3])([0-5]\d)(?!\d)", r"\1%H%M", told, count=1)
    return told


def _name(found: Found, taken: Collection[str]) -> str:
    stem = re.sub(r"[^a-z]+", "_", found.path.name.partition(".")[0].lower()).strip("_") or "source"
    return stem if stem not in taken else next(f"{stem}_{n}" for n in range(2, 999) if f"{stem}_{n}" not in taken)


def _section(found: Found, pattern: str, name: str, booked: list[Space]) -> Iterator[str]:
    yield f"# {found.told}"
    yield f"[sources.{name}]"
    yield f'preset = "{found.preset}"' if found.preset else f'format = "{found.format}"'
    yield f"files = {_text(pattern)}"
    if _is_survey(found):
        yield from space_lines(name, _numbers(found), booked)
    if found.records and not (found.format == "table" and found.preset):
        yield f'records = "{found.records}"'
    if found.format == "table":
        yield from _mapped(found, name)
    elif load_formats()[found.format].form_in_section:
        yield f"client_id = {_text(_called(found.header, 'client_id') or '#1')}  # ?"
        if not found.preset and found.format == "wide":
            when = _called(found.header, "starts_at")
            yield f"completed_at = {_text(when or '#1')}  # ? or completed_on, a day for all of them"
            yield 'dates = "decide"'
    if found.format not in ("table", "plain"):
        yield from _forms(found, name)


def _mapped(found: Found, name: str) -> Iterator[str]:
    """The columns of a table of appointments, as far as their names tell; the rest is to be filled in."""
    kind = found.records or "appointments"
    if not found.records:
        yield 'records = "appointments"  # ? appointments, clients, episodes or responses'
    yield f"\n[sources.{name}.columns]"
    taken: set[str] = set()
    for column in [*NEEDED[kind], *OPTIONAL[kind]]:
        if column == "status":
            yield f"status = {_text(found.status or '#1')}" + ("" if found.status else "  # ?")
            continue
        called = _called([each for each in found.header if each not in {*taken, found.status}], column)
        if called:
            taken.add(called)
            yield f"{column} = {_text(called)}  # ?"
        elif column in ("client_id", "starts_at"):
            yield f'{column} = "#1"  # ? no column was recognised'
    if found.unknown:
        yield f"\n[sources.{name}.status.words]"
        yield "# ? not words of the system: without a meaning their appointments are held back"
        yield from (f"# {_text(word)} = {_text(STATUSES[0])}" for word in found.unknown)


def _forms(found: Found, name: str) -> Iterator[str]:
    if not found.instruments and load_formats()[found.format].form_in_section:
        yield 'instrument = "srs"  # ? no questionnaire was recognised: INSTRUMENTS.md has the names'
        yield 'rater = "client"\nitems = ["#1", "#1", "#1", "#1"]  # ? its columns, in the order of the items'
    for instrument, items in found.instruments.items():
        yield f"\n[sources.{name}.forms.{instrument}]"
        yield f'instrument = "{instrument}"\nrater = "client"  # ?\nitems = {json.dumps(items, ensure_ascii=False)}'
        if found.format == "redcap" and f"{instrument}_timestamp" not in found.header:
            when = next((each for each in found.header if each.endswith("_timestamp")), None)
            yield f"completed_at = {_text(when)}  # ?" if when else "completed_on = 2026-01-01  # ? or completed_at"


def _called(header: list[str], column: str) -> str | None:
    """The first column whose name sounds like it."""
    sounds = _CALLED.get(column)
    names = [name for name in header if sounds and header.count(name) == 1 and re.search(sounds, name, re.IGNORECASE)]
    return names[0] if names else None


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
