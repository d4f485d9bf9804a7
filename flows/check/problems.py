"""The problems of a file, each with the key of clinic.toml that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from rapport.flows.check.cells import columns_of, listed, look_of, problem_of_cells, texts_of
from rapport.flows.check.mends import mend_of_status, near
from rapport.flows.check.problem import Problem, counted, together
from rapport.flows.check.questionnaires import problems_of_responses
from rapport.flows.check.read_file import FileRead, is_unknown, unreadable
from rapport.flows.check.shapes import common_words
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import MissingColumn, OrderOfDates, OtherRange, Refused
from rapport.warehouse.schema.records import KINDS, RULE_END

_WORDS = ("status", "rater", "sex", "closure", "instrument")
# What to do about what a reader holds back by a rule of its own.
_OF_RULES = {
    "record_too_short": "They have fewer values than the header: export it again",
    "time_out_of_range": "Too long before the export, or after it. Say   nulls   for those that mean none",
    "code_contradicts_points": "A choice's code and its points differ: correct the export",
    "rounded_id": "A spreadsheet has rounded them: export it again, and do not open it",
    "local_reference": "They hold inside their own document alone: export whole references",
    "id_pattern": "They do not match   id_pattern   of the section",
    "cancelled_by_unknown": 'Say   cancelled_by = "client"   or   "clinic"   in the section   status',
}
_OF_WORDS = {
    "rater": 'Say   rater = { column = "...", words = { "..." = "client" } }',
    "instrument": "Write a name of INSTRUMENTS.md",
    "sex": 'Say   sex = { column = "...", words = { "..." = "female" } }',
    "closure": 'Say   words = { closure = { "..." = "completed" } }',
}


def problems_of(file: FileRead, clinic: Clinic) -> list[Problem]:
    """Everything that is wrong with a file, refusals first."""
    found = [_refusal(file, each) for each in file.refusals]
    found += [Problem("", "told", told) for told in file.told]
    if file.record_count and not file.frames and not file.refusals:
        found.append(Problem("", "nothing_used", "no record is used", "Do the forms name the right columns?"))
    whose = _clients(file)
    for kind, frame in file.frames:
        found += _unreadable(file, kind, frame, whose)
        found += _unknown_words(file, frame, whose)
        found += _missing(file, kind, frame)
        if kind == "responses" and not file.blank:
            found += problems_of_responses(file.source, frame, clinic)
    return together(found)


def _refusal(file: FileRead, refused: Refused) -> Problem:
    if isinstance(refused, MissingColumn):
        hint = near(refused.column, file.header)
        return Problem(refused.column, "column_missing", refused.what.partition(";")[0], hint, stops=True)
    if isinstance(refused, OrderOfDates) and "both orders" not in refused.what:
        say = f'Say   dates = "month_first"   or   "day_first"   in [sources.{file.source.name}]'
        return Problem(refused.column, "two_orders", "the dates fit both orders of day and month", say, stops=True)
    code = "on_another_range" if isinstance(refused, OtherRange) else "refused"
    return Problem(refused.form if isinstance(refused, OtherRange) else "", code, refused.what, stops=True)


def _unreadable(file: FileRead, kind: str, frame: pl.DataFrame, whose: Mapping[int, str]) -> Iterator[Problem]:
    for name, records in unreadable(frame):
        held = frozenset(records)
        if RULE_END in name:
            rule, _, column = name.rpartition(RULE_END)
            told = f"{counted(len(held), 'record')}: {rule.replace('_', ' ')}"
            yield Problem(_shown(file, column), rule, told, _OF_RULES.get(rule, ""), held)
        elif name not in file.blank:
            yield problem_of_cells(file, kind, name, held, whose)


def _unknown_words(file: FileRead, frame: pl.DataFrame, whose: Mapping[int, str]) -> Iterator[Problem]:
    for name in _WORDS:
        if name in frame.columns and (unknown := frame.filter(is_unknown(frame, name))).height:
            yield _unknown(file, name, frozenset(unknown["record_number"]), whose)


def _unknown(file: FileRead, name: str, held: frozenset[int], whose: Mapping[int, str]) -> Problem:
    """A column with words that no vocabulary has."""
    raters = [form.rater.column for form in file.source.forms if not isinstance(form.rater, str)]
    columns = raters[:1] if name == "rater" and raters else columns_of(file.source, name)
    texts = texts_of(file, columns, whose)
    if texts is None:
        return Problem(name, f"{name}_unknown", f"{counted(len(held), 'word')} not known", held=held)
    texts = texts.filter(pl.col("record").is_in(list(held)))
    words, count = common_words(texts), texts["text"].n_unique()
    told = f"{counted(count, 'word')} not known:  "
    told += listed(words, texts) if words else f"they look like  {look_of(texts)}"
    say = _OF_WORDS.get(name) or mend_of_status(file.source, [word for word, _ in words or []])
    return Problem(" + ".join(columns), f"{name}_unknown", told, say, held)


def _missing(file: FileRead, kind: str, frame: pl.DataFrame) -> Iterator[Problem]:
    """Required columns that are empty, where nothing else was said of them."""
    for column in KINDS[kind].columns:
        columns = columns_of(file.source, column.name)
        if not column.required or column.name not in frame.columns or {column.name, *columns} & set(file.blank):
            continue
        named = [numbers for name, numbers in unreadable(frame) if name.rpartition(RULE_END)[2] == column.name]
        empty = set(frame.filter(pl.col(column.name).is_null())["record_number"])
        if held := frozenset(empty.difference(*named)):
            where = f"in {counted(len(held), 'record')}"
            if column.name == "client_id":
                yield Problem(
                    _shown(file, column.name), "id_missing", f"no client number {where}", _whose(held, frame), held
                )
            else:
                yield Problem(_shown(file, column.name), f"{column.name}_missing", f"is empty {where}", "", held)


def _whose(held: frozenset[int], frame: pl.DataFrame) -> str:
    is_other_column = 2 * len(held) > frame.height
    return (
        "Is   client_id   the right column?" if is_other_column else "A total below the records is named in   footers"
    )


def _shown(file: FileRead, name: str) -> str:
    return " + ".join(columns_of(file.source, name)) if name else ""


def _clients(file: FileRead) -> dict[int, str]:
    """Each record's client."""
    pairs = [frame.select("record_number", "client_id").drop_nulls() for _, frame in file.frames]
    return dict(pl.concat(pairs).iter_rows()) if pairs else {}
