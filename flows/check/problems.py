"""The problems of a file, each with the key of clinic.toml that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from rapport.flows.check.mends import mend_of_answers, mend_of_status, mend_of_time, near
from rapport.flows.check.read_file import FileRead, is_unknown, unreadable
from rapport.flows.check.shapes import common_words, shapes_of
from rapport.transforms.sources.plain import TIMES
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.errors import MissingColumn, OrderOfDates, OtherRange, Refused
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.records import KINDS, RULE_END

DURATIONS = ("duration_minutes", "seconds")
_NO_CLIENT = "Is   client_id   the right column? A total below the records is named in   footers"


@dataclass(frozen=True)
class Problem:
    """What is wrong in a column of a file, how often, what it looks like, and what to do."""

    column: str  # as clinic.toml names it, or a canonical name; "" of the whole file
    code: str
    told: str
    say: str = ""
    held: frozenset[int] = frozenset()  # the records that a night would hold back for it
    stops: bool = False


def problems_of(file: FileRead, clinic: Clinic) -> list[Problem]:
    """Everything that is wrong with a file, refusals first."""
    found = [_refusal(file, each) for each in file.refusals]
    found += [Problem("", "told", told) for told in file.told]
    whose = _clients(file)
    for kind, frame in file.frames:
        found += _unreadable(file, kind, frame, whose)
        found += _unknown_words(file, kind, frame, whose)
        found += _missing(file, kind, frame)
        found += _out_of_range(file, kind, frame, clinic.instruments)
        found += _not_scored(kind, frame, clinic)
    return _together(found)


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 record, 2 records."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _section(file: FileRead) -> str:
    return f"[sources.{file.source.name}]"


def _refusal(file: FileRead, refused: Refused) -> Problem:
    if isinstance(refused, MissingColumn):
        hint = near(refused.column, file.header)
        return Problem(refused.column, "column_missing", refused.what.partition(";")[0], hint, stops=True)
    if isinstance(refused, OrderOfDates) and "both orders" not in refused.what:
        say = f'Say   dates = "month_first"   or   "day_first"   in {_section(file)}'
        return Problem(refused.column, "two_orders", "the dates fit both orders of day and month", say, stops=True)
    if isinstance(refused, OtherRange):
        return Problem(refused.form, "on_another_range", refused.what, stops=True)
    return Problem("", "refused", refused.what, stops=True)


def _unreadable(file: FileRead, kind: str, frame: pl.DataFrame, whose: Mapping[int, str]) -> Iterator[Problem]:
    for name, records in unreadable(frame):
        rule, _, column = name.rpartition(RULE_END) if RULE_END in name else ("", "", name)
        held = frozenset(records)
        if rule:
            told = f"{counted(len(held), 'record')}: {rule.replace('_', ' ')}"
            yield Problem(_shown(file, column), rule, told, _of_rule(rule), held)
        elif name not in file.blank:
            yield _of_cells(file, kind, name, held, whose)


def _of_rule(rule: str) -> str:
    """What to do about what a reader itself holds back."""
    return {
        "record_too_short": "They have fewer values than the header: export it again",
        "time_out_of_range": "Too long before the export, or after it. Say   nulls   for those that mean none",
        "code_contradicts_points": "A choice's code and its points differ: correct the export",
        "rounded_id": "A spreadsheet has rounded them: export it again, and do not open it",
        "local_reference": "They hold inside their own document alone: export whole references",
        "id_pattern": "They do not match   id_pattern   of the section",
        "cancelled_by_unknown": 'Say   cancelled_by = "client"   or   "clinic"   in the section   status',
    }.get(rule, "")


def _of_cells(file: FileRead, kind: str, name: str, held: frozenset[int], whose: Mapping[int, str]) -> Problem:
    """A column of which texts could not be read: what they look like."""
    columns = _columns(file, name)
    cells = file.cells(columns)
    if cells is None:
        return Problem(name, "unreadable", f"{len(held):,} could not be read", held=held)
    texts = _told(cells, columns, whose)
    wrong = texts.filter(pl.col("record").is_in(list(held)))
    if wrong.is_empty() or (kind == "responses" and name in ("value", "seconds")):
        wrong = texts.filter(pl.col("text").cast(pl.Float64, strict=False).is_null())
    count = f"{wrong.height:,} of {texts.height:,}"
    look = "  or  ".join(shapes_of(wrong["text"]))
    shown = ", ".join(_written(each) for each in columns) if len(columns) > 1 else columns[0]
    if name in TIMES or any(name == form.completed_at for form in file.source.forms):
        say = mend_of_time(file.source, columns, wrong["text"])
        return Problem(shown, "time_unreadable", f"{count} could not be read; they look like  {look}", say, held)
    if name in DURATIONS:
        return Problem(shown, "number_unreadable", f"{count} could not be read; they look like  {look}", "", held)
    words = common_words(wrong)
    code, say = mend_of_answers(file.source, wrong["text"], words)

    told = f"could not be read; they look like  {look}"
    if words and code == "answers_are_words":
        told = f"are words:  {_listed(words, wrong)}"
    return Problem(shown, code, f"{count} {told}", say, held)


def _written(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _listed(words: Sequence[tuple[str, int]], cells: pl.DataFrame) -> str:
    """Words with their counts; how many others there are."""
    shown = [f"{word} ({count:,})" for word, count in words]
    others = cells["text"].n_unique() - len(shown)
    return ", ".join(shown) + (f", and {others:,} more" if others else "")


def _told(cells: pl.DataFrame, columns: Sequence[str], whose: Mapping[int, str]) -> pl.DataFrame:
    """The texts of one column, or of several joined, with the record and the client of each. Columns may be called
    like patterns, so they are taken by their places."""
    places = (pl.nth(place) for place in range(1, len(columns) + 1))
    joined = pl.concat_str(places, separator=" + ", ignore_nulls=True)
    texts = cells.select("record", text=joined.replace("", None)).drop_nulls()
    return texts.with_columns(client=pl.col("record").replace_strict(dict(whose), default=None, return_dtype=pl.String))


def _columns(file: FileRead, name: str) -> list[str]:
    """The export's columns of a canonical name; a form's are the export's own."""
    if name == "status" and file.source.status:
        return list(file.source.status.columns)
    return list(file.source.columns.get(name, (name,)))


def _shown(file: FileRead, name: str) -> str:
    return " + ".join(_columns(file, name)) if name else ""


def _clients(file: FileRead) -> dict[int, str]:
    """Each record's client."""
    pairs = [frame.select("record_number", "client_id").drop_nulls() for _, frame in file.frames]
    return dict(pl.concat(pairs).iter_rows()) if pairs else {}


def _unknown_words(file: FileRead, kind: str, frame: pl.DataFrame, whose: Mapping[int, str]) -> Iterator[Problem]:
    for name in ("status", "rater", "sex", "closure", "instrument"):
        if name not in frame.columns or not (unknown := frame.filter(is_unknown(frame, name))).height:
            continue
        held = frozenset(unknown["record_number"])
        columns = _columns(file, name) if name != "rater" else _rater_columns(file.source.forms, name)
        cells = file.cells(columns)
        if cells is None:
            yield Problem(name, f"{name}_unknown", f"{len(held):,} words are not known", held=held)
            continue
        texts = _told(cells, columns, whose).filter(pl.col("record").is_in(list(held)))
        words = common_words(texts)
        count = texts["text"].n_unique()
        told = f"{count:,} {'word is' if count == 1 else 'words are'} not known:  "
        told += _listed(words, texts) if words else f"they look like  {'  or  '.join(shapes_of(texts['text']))}"
        say = mend_of_status(file.source, [word for word, _ in words or []]) if name == "status" else _mend_of(name)
        yield Problem(" + ".join(columns), f"{name}_unknown", told, say, held)


def _rater_columns(forms: Iterable[Form], name: str) -> list[str]:
    found = dict.fromkeys(form.rater.column for form in forms if not isinstance(form.rater, str))
    return list(found)[:1] or [name]


def _mend_of(name: str) -> str:
    return {
        "rater": 'Say   rater = { column = "...", words = { "..." = "client" } }',
        "instrument": "Write a name of INSTRUMENTS.md",
        "sex": 'Say   sex = { column = "...", words = { "..." = "female" } }',
    }.get(name, f'Say   words = {{ {name} = {{ "..." = "..." }} }}')


def _missing(file: FileRead, kind: str, frame: pl.DataFrame) -> Iterator[Problem]:
    """Required columns that are empty, where nothing else was said of them."""
    for column in KINDS[kind].columns:
        columns = _columns(file, column.name)
        if not column.required or column.name not in frame.columns or {column.name, *columns} & set(file.blank):
            continue
        named = [numbers for name, numbers in unreadable(frame) if name.rpartition(RULE_END)[2] == column.name]
        empty = set(frame.filter(pl.col(column.name).is_null())["record_number"])
        held = frozenset(empty.difference(*named))
        if not held:
            continue
        is_client, where = column.name == "client_id", f"in {counted(len(held), 'record')}"
        told = f"no client number {where}" if is_client else f"no {column.name} {where}"
        yield Problem(" + ".join(columns), f"{column.name}_missing", told, _NO_CLIENT if is_client else "", held)


def _out_of_range(
    file: FileRead, kind: str, frame: pl.DataFrame, instruments: Mapping[str, Instrument]
) -> Iterator[Problem]:
    """Answers that the questionnaire cannot have."""
    if kind != "responses":
        return
    for (name,), rows in frame.drop_nulls("answers").group_by("instrument", maintain_order=True):
        instrument = instruments.get(str(name))
        if instrument is None or not instrument.item_count:
            continue
        ends = [instrument.range_of_item(number) for number in range(1, instrument.item_count + 1)]
        low, high = min(each.minimum for each in ends), max(each.maximum for each in ends)
        lowest, highest = pl.col("answers").list.min(), pl.col("answers").list.max()
        wrong = rows.filter((lowest < low) | (highest > high))
        if wrong.height:
            told = f"{wrong.height:,} of {rows.height:,} responses have answers outside {low:g} to {high:g}"
            say = f"Say   range = [lowest, highest]   as the export writes them, or   nulls   in {_section(file)}"
            yield Problem(str(name), "value_out_of_range", told, say, frozenset(wrong["record_number"]))


def _not_scored(kind: str, frame: pl.DataFrame, clinic: Clinic) -> Iterator[Problem]:
    """Questionnaires that are loaded and have no scores at all."""
    for name in frame["instrument"].unique(maintain_order=True).drop_nulls() if kind == "responses" else ():
        instrument = clinic.instruments.get(name)
        if instrument is None or not instrument.scored:
            continue
        reasons = [clinic.why_not_scored(instrument, scale) for scale in instrument.scales]
        if reasons and all(reasons):
            say = f"Say   licences = [{_written(name)}]   if the clinic holds it" if instrument.licence_needed else ""
            yield Problem(name, "not_scored", f"is loaded and not scored: {reasons[0]}", say)


def _together(problems: Iterable[Problem]) -> list[Problem]:
    """Problems of one kind with one mend in several columns as one: the columns of a questionnaire's items."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for each in problems:
        groups.setdefault(
            (each.code, each.say if each.say and each.column else f"{each.told}{each.column}"), []
        ).append(each)
    return [_joined(group) for group in groups.values()]


def _joined(group: Sequence[Problem]) -> Problem:
    first, last = group[0], group[-1]
    columns = list(dict.fromkeys(each.column for each in group))
    held: frozenset[int] = frozenset().union(*(each.held for each in group))
    if len(columns) == 1:
        return replace(first, held=held)
    told = first.told if first.stops else f"{counted(len(held), 'record')}: {first.told}"
    column = ", ".join(columns) if len(columns) == 2 else f"{columns[0]} to {last.column}"
    told = f"{len(columns):,} columns are not there" if first.code == "column_missing" else told
    return Problem(column, first.code, told, first.say, held, first.stops)
