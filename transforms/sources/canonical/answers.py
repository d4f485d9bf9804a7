"""Responses from an export, in either of two shapes: one row per item (plain), or one column per item (REDCap, wide).

In both, a response becomes one row. Its `answers` have one place per item, in the order of the published numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources.canonical.answer_points import in_known_points, in_points, known_words, on_range
from rapport.transforms.sources.canonical.bounds import out_of_time
from rapport.transforms.sources.canonical.casts import (
    SECOND,
    UNKNOWN,
    Dialect,
    local_day,
    of_records,
    text,
    translated,
    typed,
    unreadable,
    word,
)
from rapport.transforms.sources.canonical.ids import with_ids
from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.bounded import held
from rapport.transforms.sources.opening.shape import BESIDE, MARK, NUMBER, RECORD, cell
from rapport.transforms.sources.speed import fast_casts
from rapport.warehouse.clinic_file.forms import Form, Words
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.versions import NO_VERSION, versionless
from rapport.warehouse.schema.columns import OWNERS, RATERS

ANSWERS = pl.List(pl.Float32)
GIVEN = pl.List(pl.Struct({"scale": pl.String, "score": pl.Float64}))
OWNED = pl.List(pl.String)
CLIENT, RESPONSE = f"{MARK}client_id", f"{MARK}response_id"  # beside the columns of a form
OTHER_IDS = ("rater_id", "therapist_id", "appointment_id")
NO_TEXT = pl.lit(None, dtype=pl.String)
UNFINISHED = ["", "0", "0.0", "false", "no", "n", "n/a", "incomplete", "partial", "unfinished", "[not completed]"]
FINISHED = ["1", "1.0", "2", "2.0", "100", "true", "yes", "y", "complete", "completed", "finished", "submitted", "done"]
FINISHED += ["unverified"]  # REDCap: complete, and nobody has looked at it
_DATED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}|^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"
ATTRIBUTES = [
    "response_id",
    "client_id",
    "instrument",
    "rater",
    "rater_id",
    "therapist_id",
    "appointment_id",
    "completed_at",
    "completed_on",
]


def from_form(rows: pl.LazyFrame, form: Form, tallies: Tallies, dialect: Dialect) -> pl.DataFrame:
    """Responses from the rows in which somebody filled in a part of a form. The ids CLIENT and RESPONSE are already
    read.
    """
    cells = with_ids(rows.select(BESIDE, *map(cell, _used(form))).collect(), _other_ids(form), dialect, tallies)
    cells, items = _numbers(in_points(cells, form), form, tallies, dialect)
    scores = {scale: fast_casts.number(cells, column, dialect) for scale, column in form.scores}
    on_scale = on_range([number.value for number in items.values()], form, tallies, cells)
    seconds = fast_casts.duration(cells, form.seconds, dialect, SECOND) if form.seconds else None
    completed = fast_casts.time(cells, form.completed_at, dialect) if form.completed_at else None
    columns = {
        **of_records(cells),
        "client_id": pl.col(CLIENT),
        "response_id": pl.col(RESPONSE),
        "instrument": pl.lit(form.instrument),
        "rater": translated(form.rater, dialect) if isinstance(form.rater, Words) else pl.lit(form.rater),
        **{name: pl.col(MARK + name) if getattr(form, name) else NO_TEXT for name in OTHER_IDS},
        **_completion(form, completed),
        "seconds": seconds.value if seconds else pl.lit(None, dtype=pl.Float64),
        "answers": _side_by_side(on_scale) if on_scale else pl.lit(None, dtype=ANSWERS),
        "given_scores": _given(scores),
        "goal_owners": pl.lit(None, dtype=OWNED),
        "item_word": pl.lit(None, dtype=pl.String),
        "is_partial": _is_partial(form, dialect),
        "is_touched": _is_touched([*items.values(), *scores.values()], form, dialect),
        "clock_change": completed.change if completed else pl.lit(None, dtype=pl.String),
    }
    flags = {column: number.unreadable for column, number in items.items()}
    flags |= {column: scores[scale].unreadable for scale, column in form.scores}
    if seconds and form.seconds:
        flags[form.seconds] = seconds.unreadable
    if completed and form.completed_at and not completed.is_read:
        flags[form.completed_at] = unreadable(form.completed_at, completed.day, dialect)
    if form.completed_at and completed:
        flags |= out_of_time({form.completed_at: completed.day}, tallies)
    made = typed(cells.lazy(), columns, flags).filter("is_touched").drop("is_touched")
    _tell_unknown(made, form, tallies)
    return tallies.counted(made)


def _numbers(
    cells: pl.DataFrame, form: Form, tallies: Tallies, dialect: Dialect
) -> tuple[pl.DataFrame, dict[str, fast_casts.Number]]:
    """The answers by item, with points for public words and codes; and the cells that each answer comes from."""
    words = {} if form.range else known_words(tallies.instruments[form.instrument])
    items = {}
    for item in form.items:
        items[item] = fast_casts.number(cells, item, dialect)
        if words and items[item].unreadable is not None:
            cells = in_known_points(cells, item, words)
            items[item] = fast_casts.number(cells, item, dialect)
    return cells, items


def _other_ids(form: Form) -> dict[str, tuple[str, tuple[str]]]:
    """The ids that a form names, without its client's and the response's. They become columns of these names."""
    return {MARK + name: (name, (column,)) for name in OTHER_IDS if (column := getattr(form, name))}


def _used(form: Form) -> list[str]:
    """The columns that a form's responses need."""
    named = [form.rater_id, form.therapist_id, form.appointment_id, form.completed_at, form.seconds, form.finished]
    named += [column for _, column in form.scores]
    rater = [form.rater.column] if isinstance(form.rater, Words) else []
    wanted = (CLIENT, RESPONSE, *form.items, *rater, *named)
    return list(dict.fromkeys(column for column in wanted if column))


def _given(scores: dict[str, fast_casts.Number]) -> pl.Expr:
    """The scores that the export itself holds."""
    if not scores:
        return pl.lit(None, dtype=GIVEN)
    values = {scale: _expression(number.value).cast(pl.Float64) for scale, number in scores.items()}
    given = [pl.struct(scale=pl.lit(scale), score=value) for scale, value in values.items()]
    listed = pl.concat_list(given).list.filter(pl.element().struct["score"].is_not_null())
    return pl.when(listed.list.len() > 0).then(listed).otherwise(pl.lit(None, dtype=GIVEN))


def _expression(value: fast_casts.Value) -> pl.Expr:
    return pl.lit(value) if isinstance(value, pl.Series) else value


def _is_partial(form: Form, dialect: Dialect) -> pl.Expr:
    """Whether the form was left before its end. It is so where the survey tool has no word, or a word for no.

    An unknown word gives null. A day means that the form was sent on that day.
    """
    if not form.finished:
        return pl.lit(None, dtype=pl.Boolean)
    word = cell(form.finished).str.strip_chars().str.to_lowercase().fill_null("")
    if form.finished_words:
        words = {plain(each): meaning == "no" for each, meaning in form.finished_words.items()} | {"": True}
        return word.replace_strict(words, default=None, return_dtype=pl.Boolean)
    is_no, is_yes = word.is_in(UNFINISHED), word.is_in(FINISHED) | word.str.contains(_DATED)
    return pl.when(is_no).then(pl.lit(True)).when(is_yes).then(pl.lit(False))


def _tell_unknown(made: pl.DataFrame, form: Form, tallies: Tallies) -> None:
    if not form.finished or not made["is_partial"].null_count():
        return
    if form.finished.startswith(MARK):
        tallies.tell(
            "has responses with a status that FHIR does not have, so whether they were finished is not known; "
            "correct the status in the system that exports them"
        )
    else:
        tallies.tell(
            f"has words in column '{form.finished}' that are neither yes nor no, so whether these responses were "
            'finished is not known; say what they mean (finished = { column = "...", words = { "..." = "yes" } })'
        )


def _side_by_side(values: list[fast_casts.Value]) -> pl.Expr:
    """One list a row. The way over an array is thirty times as fast."""
    narrow = [_expression(value).cast(pl.Float32) for value in values]
    return pl.concat_arr(narrow).arr.to_list()


def _completion(form: Form, completed: fast_casts.Time | None) -> dict[str, fast_casts.Value]:
    if completed:
        return {"completed_at": completed.at, "completed_on": completed.day}
    constant = pl.lit(form.completed_on).str.to_date("%Y-%m-%d") if form.completed_on else pl.lit(None, dtype=pl.Date)
    return {"completed_at": pl.lit(None, dtype=pl.Datetime("us", "UTC")), "completed_on": constant}


def _is_touched(items: list[fast_casts.Number], form: Form, dialect: Dialect) -> pl.Expr:
    """True where a form is filled in at least in part: an item, or the form's own time of completion."""
    touched = [item.is_filled for item in items]
    if form.completed_at:
        touched.append(text(form.completed_at, dialect).is_not_null())
    return pl.any_horizontal(touched)


def from_items(
    chunks: Iterator[pl.DataFrame], dialect: Dialect, tallies: Tallies
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Responses from one row per item. A response has several records, so the whole file is read before."""
    long = held((_item_rows(chunk, dialect, tallies) for chunk in chunks), tallies.memory)
    if not long:
        return
    rows = pl.concat(long)
    for (name,), group in rows.group_by("instrument", maintain_order=True):
        yield "responses", _gathered(group, tallies.instruments.get(name))


def _item_rows(chunk: pl.DataFrame, dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    value = fast_casts.number(chunk, "value", dialect)
    if value.unreadable is not None:
        chunk = _with_known_points(chunk, tallies)
        value = fast_casts.number(chunk, "value", dialect)
    seconds = fast_casts.duration(chunk, "seconds", dialect, SECOND)
    completed = fast_casts.time(chunk, "completed_at", dialect)
    columns = {
        RECORD: pl.col(NUMBER),
        "response_id": pl.col("response_id"),
        "client_id": pl.col("client_id"),
        "instrument": _instrument(tallies, dialect),
        "rater": word("rater", RATERS, dialect),
        "rater_id": pl.col("rater_id"),
        "therapist_id": pl.col("therapist_id"),
        "appointment_id": pl.col("appointment_id"),
        "completed_at": completed.at,
        "completed_on": completed.day,
        "seconds": seconds.value,
        "item": text("item", dialect).str.to_lowercase(),
        "about": _owner(dialect),
        "value": value.value,
        "clock_change": completed.change,
    }
    unread = {
        "value": value.unreadable,
        "seconds": seconds.unreadable,
        "completed_at": local_day("completed_at", dialect).is_null(),
        **out_of_time({"completed_at": completed.day}, tallies),
    }
    return tallies.counted(typed(chunk.lazy(), columns, unread))


def _with_known_points(chunk: pl.DataFrame, tallies: Tallies) -> pl.DataFrame:
    """The rows with points for the public words and codes of their questionnaires' answers."""
    for name, instrument in tallies.instruments.items():
        if words := known_words(instrument):
            is_its = pl.col("instrument").str.strip_chars().str.to_lowercase() == name
            told = in_known_points(chunk.filter(is_its), "value", words)
            chunk = pl.concat([told, chunk.filter(~is_its.fill_null(False))]).sort(NUMBER) if told.height else chunk
    return chunk


def _instrument(tallies: Tallies, dialect: Dialect) -> pl.Expr:
    """The questionnaire's name. A name that leaves the version open is told, and is not guessed."""
    written = text("instrument", dialect).str.to_lowercase()
    known = word("instrument", tuple(tallies.instruments), dialect)
    return pl.when(written.is_in(versionless(tallies.instruments))).then(pl.lit(NO_VERSION)).otherwise(known)


def _owner(dialect: Dialect) -> pl.Expr:
    """Whose goal a row is about: `other` for an unknown word."""
    written = text("about", dialect).str.to_lowercase()
    return pl.when(written.is_in(OWNERS)).then(written).when(written.is_not_null()).then(pl.lit("other"))


def _gathered(rows: pl.DataFrame, instrument: Instrument | None) -> pl.DataFrame:
    """One row per response. Its record is the first one; `record_count` is the number of its records.

    Rows of one response may disagree about client, rater or time. Then they become several rows of one id, which are
    conflicting duplicates. The duration is known only where they agree.
    """
    count = instrument.item_count if instrument else 0
    scales = sorted(instrument.scale_names) if instrument else []
    has_goals = "goal_1" in scales
    if has_goals:  # written "goal:1" where the column `about` says whose goal it is
        rows = rows.with_columns(pl.col("item").str.strip_prefix("goal:"))
    number_of = pl.col("item").cast(pl.Int32, strict=False)
    is_item, is_scale = number_of.is_between(1, count), pl.col("item").is_in(scales).fill_null(False)
    rows = rows.with_columns(number=pl.when(is_item).then(number_of), is_scale=is_scale)
    keys = [pl.coalesce("response_id", pl.format("\x1e{}", RECORD)).alias("group"), *ATTRIBUTES[1:]]
    grouped = rows.group_by(keys, maintain_order=True).agg(
        pl.col(RECORD).min(),
        pl.len().cast(pl.Int32).alias("record_count"),
        pl.col("response_id").first(),
        seconds=pl.when(pl.col("seconds").min() == pl.col("seconds").max()).then(pl.col("seconds").max()),
        answers=_in_order(count),
        given_scores=pl.struct(scale="item", score="value").filter("is_scale"),
        goal_owners=_owners(count) if has_goals else pl.lit(None, dtype=pl.String),
        item_word=pl.when((pl.col("number").is_null() & ~pl.col("is_scale")).any()).then(pl.lit(UNKNOWN)),
        unreadable=pl.col("unreadable").list.explode().drop_nulls().unique().sort(),
        twice=(pl.struct("item", "value").n_unique() > pl.col("item").n_unique()),
    )
    return _tidied(grouped, scales)


def _in_order(count: int) -> pl.Expr:
    places = [pl.col("value").filter(pl.col("number") == place).max() for place in range(1, count + 1)]
    return pl.concat_list(places).list.explode().cast(pl.Float32) if places else pl.lit(None, dtype=pl.Float32)


def _owners(count: int) -> pl.Expr:
    """The owner of each goal, in the order of the goals' numbers."""
    places = [pl.col("about").filter(pl.col("number") == place).drop_nulls().first() for place in range(1, count + 1)]
    return pl.concat_list(places).list.explode()


def _tidied(grouped: pl.DataFrame, scales: list[str]) -> pl.DataFrame:
    given = pl.col("given_scores") if scales else pl.lit(None, dtype=GIVEN)
    owners = pl.col("goal_owners") if grouped["goal_owners"].dtype == OWNED else pl.lit(None, dtype=OWNED)
    return grouped.with_columns(
        goal_owners=pl.when(owners.list.drop_nulls().list.len() > 0).then(owners),
        given_scores=pl.when(given.list.len() > 0).then(given).cast(GIVEN),
        answers=pl.col("answers").cast(ANSWERS) if grouped["answers"].dtype == ANSWERS else pl.lit(None, dtype=ANSWERS),
        unreadable=pl.when("twice")
        .then(pl.concat_list("unreadable", pl.lit(["item"])))
        .when(pl.col("unreadable").list.len() > 0)
        .then("unreadable"),
    ).drop("group", "twice")
