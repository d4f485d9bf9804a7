"""SurveyMonkey: a row of questions, each only above its first column, and a row of choices below it.

An older export writes its own columns without blanks (RespondentID); they have the present names all the same.
A column's name is its question, or question and choice: "How often?: Never". A column without a choice (Respondent ID),
or with one that only means "answer", keeps the question's name. An export with condensed columns may have the first row
alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources import wide
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import Header
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused

RESPONDENT = "Respondent ID"
# What an older export calls its own columns.
OLDER = {"RespondentID": RESPONDENT, "CollectorID": "Collector ID", "StartDate": "Start Date", "EndDate": "End Date"}
OLDER |= {"FirstName": "First Name", "LastName": "Last Name"}
ANSWERS = ("", "Response", "Open-Ended Response")


def header(heads: list[list[str]]) -> Header:
    """The joined names. Raises Refused for any other file."""
    if heads and heads[0][:1] == ["RespondentID"]:
        heads = [[OLDER.get(name, name) for name in heads[0]], *heads[1:]]
    if heads[0][:1] != [RESPONDENT]:
        raise Refused(f"does not begin with '{RESPONDENT}' as a SurveyMonkey export does; correct clinic.toml")
    if len(heads) < 2 or heads[1][:1] != [""]:
        return Header(heads[0], 1)
    names, question = [], ""
    below = heads[1] + [""] * (len(heads[0]) - len(heads[1]))
    for above, choice in zip(heads[0], below, strict=False):
        question = above or question
        names.append(question if choice in ANSWERS else f"{question}: {choice}")
    return Header(names, 2)


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Responses. Raises Refused when a spreadsheet has rounded the respondents' ids."""
    export.need([RESPONDENT])
    export.chunks = map(_with_whole_ids, export.chunks)
    yield from wide.read(export, source, tallies)


def _with_whole_ids(chunk: pl.DataFrame) -> pl.DataFrame:
    if chunk[RESPONDENT].str.contains(r"^\s*\d(\.\d+)?[Ee]\+\d+\s*$").any():
        raise Refused(f"has a '{RESPONDENT}' that a spreadsheet has rounded; export it again, and do not open it")
    return chunk
