"""The session nearest in time, by one search in the sorted sessions instead of a join per window."""

from __future__ import annotations

import polars as pl

Window = tuple[str, float, float | None]  # anchor, hours before it, hours after it (None: until the session's end)
_PERSON = 1 << 64  # above any time in microseconds: person and time form one sortable number
_HOUR = 3_600_000_000  # microseconds


def nearest(responses: pl.LazyFrame, sessions: pl.LazyFrame, same: list[str], windows: list[Window]) -> pl.LazyFrame:
    """Return `responses` (completed_at, and `window`, an index into `windows`), each with the session_id of the nearest
    session. Candidates are the last session before and the first after, among those with the `same` ids, if their
    window contains the time. Of two equally near the earlier counts.

    A questionnaire at 9:30 belongs to the session that begins half an hour later, within two hours before it.

    >>> from datetime import datetime
    >>> day = {"client_id": ["c1", "c1"], "session_id": ["s1", "s2"], "client_session_number": [1, 2]}
    >>> starts = {"starts_at": [datetime(2026, 3, 2, 10), datetime(2026, 3, 9, 10)]}
    >>> ends = {"ends_at": [datetime(2026, 3, 2, 11), datetime(2026, 3, 9, 11)]}
    >>> completed = {"client_id": ["c1"], "completed_at": [datetime(2026, 3, 9, 9, 30)], "window": [0]}
    >>> sessions, responses = pl.LazyFrame(day | starts | ends), pl.LazyFrame(completed)
    >>> nearest(responses, sessions, ["client_id"], [("starts_at", 2, 48)]).collect()["session_id"].to_list()
    ['s2']
    """
    ids = responses.select(same).unique().with_row_index("person").collect().lazy()
    held = (
        sessions.join(ids, on=same)
        .select("person", "session_id", "starts_at", "ends_at", "client_session_number")
        .collect()
    )
    persons = responses.select(same).join(ids, on=same, how="left", maintain_order="left").select("person")
    asked = pl.concat([responses, persons], how="horizontal").collect()
    found = [
        _found(asked.filter(pl.col("window").is_in(places)), held, anchor, windows)
        for anchor in ("starts_at", "ends_at")
        if (places := [place for place, window in enumerate(windows) if window[0] == anchor])
    ]
    return pl.concat(found).drop("person").lazy()


def _found(asked: pl.DataFrame, held: pl.DataFrame, anchor: str, windows: list[Window]) -> pl.DataFrame:
    """Return per response the sessions before and after. Of sessions with one anchor the client's first counts."""
    keyed = held.with_columns(key=_key(anchor), anchor=anchor).sort("key", "client_session_number")
    ordered = keyed.filter(pl.col("key").ne_missing(pl.col("key").shift()))
    after = ordered["key"].search_sorted(asked.select(_key("completed_at")).to_series(), side="right").cast(pl.Int64)
    sides = pl.DataFrame({"before": after - 1, "after": after}).with_columns(
        pl.when(pl.col("before") >= 0).then("before"),
        pl.when(pl.col("after") < ordered.height).then("after"),
    )
    beside = [ordered.select(pl.all().gather(sides[side]).name.suffix(f" {side}")) for side in ("before", "after")]
    both = pl.concat([asked, *beside], how="horizontal")
    return both.with_columns(session_id=_nearer(windows)).select(*asked.columns, "session_id")


def _key(time: str) -> pl.Expr:
    return pl.col("person").cast(pl.Int128) * _PERSON + pl.col(time).dt.epoch("us").cast(pl.Int128)


def _nearer(windows: list[Window]) -> pl.Expr:
    before, after = (
        pl.col("window").replace_strict(
            {place: None if hours is None else int(hours * _HOUR) for place, hours in enumerate(sides)},
            return_dtype=pl.Int64,
        )
        for sides in ([window[1] for window in windows], [window[2] for window in windows])
    )
    since = pl.when(pl.col("person") == pl.col("person before")).then(
        (pl.col("completed_at") - pl.col("anchor before")).dt.total_microseconds()
    )
    until = pl.when(pl.col("person") == pl.col("person after")).then(
        (pl.col("anchor after") - pl.col("completed_at")).dt.total_microseconds()
    )
    until_the_end = since.is_not_null() & (pl.col("completed_at") <= pl.col("ends_at before"))
    held_back = pl.when(after.is_null()).then(until_the_end).otherwise(since <= after).fill_null(False)
    held_ahead = (until <= before).fill_null(False)
    earlier = held_back & (~held_ahead | (since <= until))
    return pl.when(earlier).then("session_id before").when(held_ahead).then("session_id after")
