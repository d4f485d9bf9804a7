"""Responses, each with its session."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.episodes import newest
from rapport.transforms.sessions.matching import nearest
from rapport.transforms.sessions.raters import PERSON, with_rater_numbers
from rapport.transforms.sessions.validity import FLAGS, flagged, is_repeated, is_straight_lined
from rapport.transforms.sessions.visits import therapists_of
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    key="response_id",
    columns=[
        "response_id!",
        "client_id!",
        "session_id",
        "instrument!",
        "rater!",
        "rater_number!",
        "rater_id",
        "therapist_id",
        "completed_at",
        "completed_on",
        "answered_count!",
        "item_count!",
        Column(
            "is_complete",
            "truth",
            "True when every item is answered, except those that its instrument calls optional.",
            required=True,
        ),
        "is_used!",
        Column(
            "matched_by",
            "text",
            "How its session was found: named by the export, by time, or by local day; null while it has none.",
            one_of=("appointment", "time", "day"),
        ),
        "seconds",
        "is_partial",
        *FLAGS,
        "source!",
    ],
)
def responses(
    response_records: pl.LazyFrame,
    sessions: pl.LazyFrame,
    visit_lines: pl.LazyFrame,
    birth_dates: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per filled-in questionnaire. Its session is the one that its export names, by the appointment of any of
    its lines; else, for the same client (and one of the session's therapists, where given), the nearest session whose
    window contains its time. A date without a time is matched by local day. Unmatched responses stay, and are matched
    when their appointment arrives."""
    counted = _counted(newest(response_records, "response_id"), clinic).collect().lazy()
    matched = pl.concat([counted, sessions_of(counted, sessions, clinic, visit_lines)], how="horizontal")
    is_complete = pl.col("answered_count") + pl.col("unasked_count") == pl.col("item_count")
    numbered = with_rater_numbers(matched.with_columns(is_complete=is_complete), sessions, clinic)
    complete = _with_used(numbered)
    return flagged(complete, birth_dates, clinic)


def _unasked(clinic: Clinic) -> pl.Expr:
    """Return the number of unanswered items that a complete response does not need: optional items, and items that a
    form skips because another item has the lowest answer."""
    unanswered = [
        (pl.col("instrument") == name) & _answer(number).is_null() & is_unasked
        for name, instrument in clinic.instruments.items()
        for number, is_unasked in [
            *((number, pl.lit(True)) for number in instrument.optional),
            *((number, _answer(beside) == instrument.minimum) for number, beside in instrument.skipped),
        ]
    ]
    return pl.sum_horizontal(pl.lit(0, dtype=pl.Int32), *(each.cast(pl.Int32) for each in unanswered))


def _answer(number: int) -> pl.Expr:
    return pl.col("answers").list.get(number - 1, null_on_oob=True)


def _counted(response_records: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return responses with the number of answered items and the number of items, without the answers."""
    counts = {name: instrument.item_count for name, instrument in clinic.instruments.items()}
    return response_records.with_columns(
        answered_count=pl.col("answers").list.agg(pl.element().count()).fill_null(0).cast(pl.Int32),
        item_count=pl.col("instrument").replace_strict(counts, default=0, return_dtype=pl.Int32),
        unasked_count=_unasked(clinic),
        is_straight_lined=is_straight_lined(clinic),
    ).drop("answers", "given_scores", "goal_owners")


_unnamed = pl.col("appointment_session_id").is_null()


def sessions_of(
    responses: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic, visit_lines: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """Return the session_id of each response, and how it was found (matched_by), in the order of the responses.

    `visit_lines`: the lines of visits that have several; without them each appointment is a session of its own."""
    windows = sorted({instrument.window for instrument in clinic.instruments.values()}, key=str)
    window_of = {name: windows.index(instrument.window) for name, instrument in clinic.instruments.items()}
    known = responses.select(
        *("client_id", "therapist_id", "appointment_session_id", "completed_at", "completed_on"),
        window=pl.col("instrument").replace_strict(window_of, default=0, return_dtype=pl.Int32),
    )
    numbered = known.with_row_index("row").collect().lazy()  # every way of matching reads it
    at_a_time = numbered.filter(_unnamed & pl.col("completed_at").is_not_null())
    on_a_day = numbered.filter(_unnamed & pl.col("completed_at").is_null())
    with_each = sessions if visit_lines is None else _with_each_therapist(sessions, visit_lines)
    attended = sessions.select("session_id", appointment_session_id="session_id")
    named = attended if visit_lines is None else _with_each_line(attended, visit_lines)
    ways = [
        _named(numbered.filter(pl.col("appointment_session_id").is_not_null()), named),
        *(
            _told(nearest(group, held, same, windows), "time")
            for group, held, same in _by_therapist(at_a_time, sessions, with_each)
        ),
        *(
            _told(_on_day(group, held, same), "day")
            for group, held, same in _by_therapist(on_a_day, sessions, with_each)
        ),
    ]
    found = pl.concat(way.select("row", "session_id", "matched_by") for way in ways)
    return found.sort("row").drop("row")


def _named(responses: pl.LazyFrame, named: pl.LazyFrame) -> pl.LazyFrame:
    return _told(responses.join(named, on="appointment_session_id", how="left"), "appointment")


def _with_each_line(attended: pl.LazyFrame, visit_lines: pl.LazyFrame) -> pl.LazyFrame:
    """Return session_id and appointment_session_id with a row for each line of the sessions that have several."""
    lines = visit_lines.filter(pl.col("line_id") != pl.col("session_id")).collect()
    if lines.is_empty():
        return attended
    of_lines = lines.lazy().join(attended, on="session_id", how="semi").unique("line_id")
    return pl.concat([attended, of_lines.select("session_id", appointment_session_id="line_id")])


def _told(matched: pl.LazyFrame, how: str) -> pl.LazyFrame:
    return matched.with_columns(matched_by=pl.when(pl.col("session_id").is_not_null()).then(pl.lit(how)))


def _with_each_therapist(sessions: pl.LazyFrame, visit_lines: pl.LazyFrame) -> pl.LazyFrame:
    """Return sessions with a row for each therapist of those that have several."""
    named = therapists_of(visit_lines).drop("loaded_number")
    if named.is_empty():
        return sessions
    whole = sessions.drop("therapist_id").join(named.lazy(), on="session_id").select(sessions.collect_schema().names())
    others = whole.join(sessions, on=["session_id", "therapist_id"], how="anti")
    return pl.concat([sessions, others])


def _by_therapist(
    responses: pl.LazyFrame, sessions: pl.LazyFrame, with_each: pl.LazyFrame
) -> list[tuple[pl.LazyFrame, pl.LazyFrame, list[str]]]:
    """Return responses with and without a therapist, each with the sessions to choose from and the columns that must
    agree."""
    says = pl.col("therapist_id").is_not_null()
    return [
        (responses.filter(says), with_each, ["client_id", "therapist_id"]),
        (responses.filter(~says), sessions, ["client_id"]),
    ]


def _on_day(responses: pl.LazyFrame, sessions: pl.LazyFrame, same: list[str]) -> pl.LazyFrame:
    """Return responses with the first session of their day, among those with the `same` ids."""
    place = [*same, "completed_on"]
    held = sessions.select(*same, "session_id", "client_session_number", completed_on="session_date")
    asked = held.join(responses.select(place), on=place, how="semi").sort("client_session_number")
    return responses.join(asked.unique(place, keep="first", maintain_order=True), on=place, how="left")


def _with_used(complete: pl.LazyFrame) -> pl.LazyFrame:
    """Return responses with is_used: per session, instrument and person the first complete one, else the first."""
    known = complete.collect().lazy()
    place = ["session_id", "instrument", *PERSON]
    may_share = pl.col("session_id").is_not_null() & is_repeated(place)
    marked = known.with_columns(may_share=may_share)
    shared = marked.filter("may_share").with_columns(is_used=_is_first_complete())
    alone = marked.filter(~pl.col("may_share")).with_columns(is_used=pl.lit(True))
    return pl.concat([alone, shared]).drop("may_share")


def _is_first_complete() -> pl.Expr:
    order = ["is_complete", "completed_at", "completed_on", "loaded_number"]
    first = pl.col("response_id").sort_by(order, descending=[True, False, False, False], nulls_last=True).first()
    return pl.col("response_id") == first.over("session_id", "instrument", *PERSON)
