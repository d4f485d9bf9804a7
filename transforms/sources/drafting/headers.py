"""The header of a file that nobody has declared: its row, its encoding, its sheet, the survey tool that writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapport.transforms.sources import qualtrics, surveymonkey
from rapport.transforms.sources.opening.apart import read_apart
from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import Header, Shape
from rapport.transforms.sources.opening.spreadsheets import filled_sheets
from rapport.transforms.sources.opening.tables import open_content
from rapport.warehouse.errors import Refused
from rapport.warehouse.presets import load_presets

LOOKS_AT = 4 << 20  # bytes of a table that are looked at
ROWS = 8  # among which the header is looked for
ENCODINGS = ("utf-8", "utf-16", "windows-1252")  # in the order in which they are tried
_VALUE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|^-?\d+([.,]\d+)?$")  # what a column is not called
# LimeSurvey's other header styles (Export results, Headings): the texts of its own columns, and codes with texts.
LIMESURVEY = (
    {"response_id": "Response ID", "completed_at": "Date submitted", "finished": "Date submitted"},
    {
        "response_id": "id. Response ID",
        "completed_at": "submitdate. Date submitted",
        "finished": "submitdate. Date submitted",
    },
)


@dataclass(frozen=True)
class Opened:
    """A table that is open, and the keys of clinic.toml that open it so."""

    export: Export
    kind: str  # table, qualtrics or surveymonkey
    keys: Mapping[str, Any]  # encoding, sheet, header_row, where they are not the usual ones


def opened(content: Content, encoding: str | None = None) -> list[Opened]:
    """The file's tables: one, or one for each sheet with data. Raises Refused where it is none."""
    if content.kind == "spreadsheet":
        sheets = read_apart(filled_sheets, content)["sheet"].to_list()
        if len(sheets) > 1:
            return [_table(content, {"sheet": sheet}) for sheet in sheets]
    if content.kind != "text" or encoding:
        return [_table(content, {"encoding": encoding} if encoding else {})]
    return [_decoded(content)]


def _decoded(content: Content) -> Opened:
    """Text in the first encoding that fits. The first refusal stands where none does."""
    refusals = []
    for encoding in ENCODINGS:
        try:
            return _table(content, {} if encoding == "utf-8" else {"encoding": encoding})
        except Refused as refused:
            refusals.append(refused)
            if "UTF-" not in refusals[0].what:
                break
    raise refusals[0]


def _table(content: Content, keys: dict[str, Any]) -> Opened:
    """Parquet and a file of blank lines have no header rows to tell a survey tool by."""
    for kind, reads, rows in (("qualtrics", qualtrics.header, 3), ("surveymonkey", surveymonkey.header, 2)):
        try:
            export = open_content(content, _shape(keys, 1, rows, reads))
        except Refused as refused:
            if "UTF-" in refused.what:
                raise
            continue
        if export.header and content.kind != "parquet":
            return Opened(export, kind, keys)
    for row in range(1, ROWS + 1):
        try:
            export = open_content(content, _shape(keys, row, ROWS, _header))
        except Refused:
            continue
        if export.header:
            return Opened(export, "table", keys if row == 1 else {**keys, "header_row": row})
    return Opened(open_content(content, _shape(keys, 1, 1, None)), "table", keys)


def _shape(keys: Mapping[str, Any], row: int, rows: int, reads: Any) -> Shape:  # noqa: ANN401  a reader of headers
    encoding, sheet = keys.get("encoding", "utf-8"), keys.get("sheet")
    return Shape(encoding, LOOKS_AT, sheet, row, rows_of_header=rows, read_header=reads)


def _header(heads: list[list[str]]) -> Header:
    """The first record as a header. Raises Refused for a title, a blank line, and a record with values."""
    if not heads:
        raise Refused("has no such record")
    filled = [name for name in heads[0] if name]
    widest = max(len([value for value in row if value]) for row in heads)
    if 2 * len(filled) < widest or len(filled) < min(2, widest) or any(map(_VALUE.match, filled)):
        raise Refused("does not begin with names")
    return Header(heads[0], 1)


def survey_tool(export: Export) -> tuple[str | None, dict[str, str]]:
    """The survey tool whose own columns are all there, the one with the most of them, and how they are called."""
    there = {}
    for name, called in _own_columns():
        if called and all(map(export.has, {*called.values()})):
            is_preset_s = called == _of_preset(name)
            there[name, not is_preset_s] = {} if is_preset_s else called
    best = max(there, key=lambda key: len(_of_preset(key[0])), default=None)
    return (None, {}) if best is None else (best[0], there[best])


def _own_columns() -> Iterator[tuple[str, dict[str, str]]]:
    for name, preset in load_presets().items():
        if preset.section["format"] == "wide":
            yield name, _of_preset(name)
    yield from (("limesurvey", style) for style in LIMESURVEY)


def _of_preset(name: str) -> dict[str, str]:
    section = load_presets()[name].section
    return {key: section[key] for key in ("response_id", "completed_at") if key in section}
