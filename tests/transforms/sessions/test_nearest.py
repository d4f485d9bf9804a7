"""The nearest session by one search is the one that the definition names (design.md, Matching a response)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from rapport.transforms.sessions.matching import nearest

START = datetime(2026, 3, 2, tzinfo=UTC)
WINDOWS = [("ends_at", 0.25, 72), ("starts_at", 48, None), ("starts_at", 72, 72)]
QUARTERS = st.integers(0, 24 * 4 * 5)  # quarters of an hour: times meet, and windows end on them
SESSIONS = st.lists(st.tuples(st.sampled_from("ab"), QUARTERS, st.integers(0, 6)), max_size=5)
RESPONSES = st.lists(st.tuples(st.sampled_from("abc"), QUARTERS, st.integers(0, 2)), min_size=1, max_size=5)


def at(quarter: int) -> datetime:
    return START + timedelta(minutes=15 * quarter)


def session_frame(sessions: list[tuple]) -> pl.DataFrame:
    rows = [(f"s{n}", client, at(start), at(start + length)) for n, (client, start, length) in enumerate(sessions)]
    times = dict.fromkeys(("starts_at", "ends_at"), pl.Datetime("us", "UTC"))
    frame = pl.DataFrame(rows, schema={"session_id": pl.String, "client_id": pl.String} | times, orient="row")
    ordered = frame.sort("starts_at", maintain_order=True)  # of those that start at once the first loaded
    return ordered.with_columns(client_session_number=pl.int_range(pl.len()).over("client_id"))


def response_frame(responses: list[tuple]) -> pl.DataFrame:
    rows = [(f"r{n}", client, at(quarter), window) for n, (client, quarter, window) in enumerate(responses)]
    schema = {"response_id": pl.String, "client_id": pl.String, "completed_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema | {"window": pl.Int32}, orient="row")


def by_definition(client: str, quarter: int, window: int, sessions: list[tuple]) -> str | None:
    """The last session whose anchor is not after the time and the first whose is not before: the nearer that holds."""
    anchor, before, after = WINDOWS[window]
    rows = [(start + (anchor == "ends_at") * length, start, f"s{n}", length)
            for n, (whose, start, length) in enumerate(sessions) if whose == client]  # fmt: skip
    last = max((row[0] for row in rows if row[0] <= quarter), default=None)
    first = min((row[0] for row in rows if row[0] >= quarter), default=None)
    back = min((row for row in rows if row[0] == last), default=None)
    ahead = min((row for row in rows if row[0] == first), default=None)
    held = []
    if back and (quarter <= back[1] + back[3] if after is None else quarter - back[0] <= after * 4):
        held.append((quarter - back[0], 0, back[2]))
    if ahead and ahead[0] - quarter <= before * 4:
        held.append((ahead[0] - quarter, 1, ahead[2]))
    return min(held)[2] if held else None


@given(sessions=SESSIONS, responses=RESPONSES)
def test_the_nearest_session_is_the_one_that_the_definition_names(sessions, responses):
    found = nearest(response_frame(responses).lazy(), session_frame(sessions).lazy(), ["client_id"], WINDOWS).collect()
    expected = {f"r{n}": by_definition(*response, sessions) for n, response in enumerate(responses)}
    assert dict(found.select("response_id", "session_id").iter_rows()) == expected
