"""A draft of clinic.toml for files that were recognised: what to read, correct and try with `rapport check`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from rapport.transforms.sources.drafting.columns import (
    FILL_IN,
    Column,
    called,
    client_column,
    date_order,
    end_columns,
    is_name,
    start_columns,
)
from rapport.transforms.sources.drafting.form_sections import answer_lines, form_lines, time_lines
from rapport.transforms.sources.drafting.id_spaces import Space, numbers_of, space_lines
from rapport.transforms.sources.drafting.recognition import Found
from rapport.transforms.sources.drafting.toml_lines import key, line, written
from rapport.transforms.sources.drafting.whole import covers_line
from rapport.transforms.sources.plain import NEEDED, OPTIONAL
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.columns import STATUSES

HEAD = """\
# A draft: read it, correct what is marked with ?, then run rapport check.
time_zone = "UTC"  # ? the clinic's own, such as "America/Chicago"
"""
PRACTICE = "practice"  # the id space of the first section with appointments
_OPENING = ("encoding", "sheet", "header_row")  # keys of a section that open its files


def draft(found: list[Found], instruments: Mapping[str, Instrument]) -> str:
    """The draft as TOML. Files of one pattern and shape share a section: the last of them shows what it holds."""
    used = {each.instrument for one in found for each in one.questionnaires}
    licences = sorted(name for name in used if instruments[name].licence_needed)
    head = HEAD + (line("licences", licences, "only those that the clinic holds") + "\n" if licences else "")
    shapes = {(files_pattern(each.path.name), each.format, each.keys.get("sheet")): each for each in found}
    named: dict[str, tuple[str, Found]] = {}
    for (pattern, _, sheet), each in shapes.items():
        named[_name(each, str(sheet or ""), named)] = pattern, each
    spaces = _spaces({name: each for name, (_, each) in named.items() if _is_booked(each)})
    booked = [(spaces[name], _numbers(named[name][1])) for name in spaces]
    sections = [
        "\n".join(_section(each, pattern, name, booked, spaces.get(name))) for name, (pattern, each) in named.items()
    ]
    return "\n\n".join([head, *sections]) + "\n"


def _is_booked(found: Found) -> bool:
    """Whether it is the practice system's: its clients are those that appointments are booked for."""
    return not _is_survey(found) and found.records in (None, "appointments", "clients", "episodes")


def _is_survey(found: Found) -> bool:
    holds = load_formats()[found.format].holds
    return found.format != "table" and "responses" in holds and ("appointments" not in holds or bool(found.links))


def _spaces(booked: Mapping[str, Found]) -> dict[str, str]:
    """The id spaces of the practice system's sections. Sections whose clients are known to an earlier one share its
    space: they would be other people otherwise."""
    spaces: dict[str, str] = {}
    for name, each in booked.items():
        own = _numbers(each)
        known = [before for before in spaces if own and 2 * len(own & _numbers(booked[before])) >= len(own)]
        usual = "clinic" if each.format == "plain" else name if spaces else PRACTICE
        spaces[name] = spaces[known[0]] if known else usual
    return spaces


def _numbers(found: Found) -> frozenset[str]:
    """The clients' numbers among the records that were looked at."""
    column = client_column(found.columns) or next(iter(found.columns), None)
    return numbers_of(column.values) if column else frozenset()


def files_pattern(name: str) -> str:
    """A file's name with what says when it was exported as directives, and * for a number alone and for no UTF-8."""
    name = re.sub(r"[\ud800-\udfff]+", "*", name)
    told = re.sub(r"(?<!\d)(19|20)\d{2}-(0\d|1[0-2])-([0-2]\d|3[01])(?!\d)", "%Y-%m-%d", name, count=1)
    if told == name:
        told = re.sub(r"(?<!\d)20\d{2}(0\d|1[0-2])([0-2]\d|3[01])(?!\d)", "%Y%m%d", name, count=1)
    if "%d" in told:
        told = re.sub(r"(%d[_T\- ])([01]\d|2[0-3])([0-5]\d)(?!\d)", r"\1%H%M", told, count=1)
    return told


def _name(found: Found, sheet: str, taken: Collection[str]) -> str:
    told = f"{found.path.name.partition('.')[0]} {sheet}".lower()
    stem = re.sub(r"[^a-z]+", "_", told).strip("_") or "source"
    return stem if stem not in taken else next(f"{stem}_{n}" for n in range(2, 999) if f"{stem}_{n}" not in taken)


def _section(found: Found, pattern: str, name: str, booked: list[Space], space: str | None) -> Iterator[str]:
    yield f"# {found.told}"
    yield f"[sources.{key(name)}]"
    yield line("preset", found.preset) if found.preset else line("format", found.format)
    yield line("files", pattern)
    yield from (
        line(each, found.keys[each], "" if each == "encoding" else None) for each in _OPENING if each in found.keys
    )
    own = {each: value for each, value in found.keys.items() if each not in _OPENING}
    yield from (line(each, value) for each, value in own.items())
    if space not in (None, *(["clinic"] if found.format == "plain" else [])):
        yield line("id_space", space)
    yield from _whose(found, name, booked)
    if found.records and not (found.format == "table" and found.preset):
        yield line("records", found.records)
    yield from covers_line(found)
    if found.format == "table":
        yield from _mapped(found, name)
    elif _is_survey(found):
        yield from _survey(found, name)


def _whose(found: Found, name: str, booked: list[Space]) -> Iterator[str]:
    """The column of the client's number and the id space, of a survey."""
    if not _is_survey(found):
        return
    client = client_column(found.columns, [numbers for _, numbers in booked])
    first = next(iter(found.columns), None)
    if found.format in ("fhir", "plain") or (found.format == "redcap" and client in (None, first)):
        client = first  # the record's own
    else:
        yield line("client_id", client.key if client else FILL_IN, _asked(client))
    yield from space_lines(name, numbers_of(client.values) if client else frozenset(), booked)


def _asked(client: Column | None) -> str | None:
    if client is None:
        return "no column was recognised as the client's number"
    return "these are names: is there no column with a number?" if is_name(client) else ""


def _survey(found: Found, name: str) -> Iterator[str]:
    if found.format == "plain":
        return
    if load_formats()[found.format].form_in_section:
        yield from time_lines(found)
        yield from _dates(found, start_columns(found.columns)[:1])
    yield from answer_lines(found)
    yield from form_lines(found, name)


def _dates(found: Found, columns: list[Column]) -> Iterator[str]:
    order = date_order(columns)
    if order is None:
        yield line("dates", "decide", 'both orders fit: write "month_first" or "day_first"')
    elif order in ("day_first", "month_first"):
        yield line("dates", order)
    elif not found.preset and found.format != "table":
        yield line("dates", "decide")


def _mapped(found: Found, name: str) -> Iterator[str]:
    """The columns of a table of appointments, as far as their names and values tell; the rest is to be filled in."""
    kind = found.records or "appointments"
    if not found.records:
        yield line("records", "appointments", "appointments, clients, episodes or responses")
    starts = start_columns(found.columns) if kind == "appointments" else []
    yield from _dates(found, starts[:1] or [each for each in found.columns if each.are_dates])
    yield f"\n[sources.{key(name)}.columns]"
    free = [each for each in found.columns if each.key != found.status and each not in starts]
    for column in [*NEEDED[kind], *OPTIONAL[kind]]:
        yield from _column(found, column, free, starts)
    if ends := end_columns(found.columns, starts) if starts else []:
        yield line("ends_at", _together(ends), "")
    if found.unknown:
        yield f"\n[sources.{key(name)}.status.words]"
        yield "# ? not words of the system: without a meaning their appointments are held back"
        yield from (f"# {written(word)} = {written(STATUSES[0])}" for word in found.unknown)


def _column(found: Found, column: str, free: list[Column], starts: list[Column]) -> Iterator[str]:
    """A column of the plain format, and the export's; those that are needed are asked for where none was recognised."""
    if column == "status" and found.status:
        yield line("status", found.status)
    elif column == "starts_at" and starts:
        yield line("starts_at", _together(starts), "")
    else:
        met = client_column(free) if column == "client_id" else called(free, column)
        if met:
            free.remove(met)
            yield line(column, met.key, (_asked(met) if column == "client_id" else "") or "")
        elif column in ("client_id", "starts_at", "status", "opened_on"):
            yield line(column, FILL_IN, "no column was recognised")


def _together(columns: list[Column]) -> str | list[str]:
    return columns[0].key if len(columns) == 1 else [each.key for each in columns]
