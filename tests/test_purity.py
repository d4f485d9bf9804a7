"""Per-client tables are pure: of one client's own records alone, whatever their order, and settled once settled."""

from datetime import UTC, datetime, timedelta

import polars as pl
from drawn import clinic, computed, records
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import transforms

CLIENTS, THERAPISTS = ("ann", "bob"), ("tom", None)
FIRST_DAY = datetime(2026, 1, 5, 15, tzinfo=UTC)
LAST_DAY = 400
DECLARED = clinic(not_treatment=["assessment"])
PER_CLIENT = [table for table in transforms.tables() if table.per == "client"]
ANSWERS = st.sampled_from([[9.0, 9.0, 9.0, 9.5], [3.3, 0.0, 10.0, 5.0], [7.0, 7.0, None, 7.0], [None] * 4])
APPOINTMENT = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(CLIENTS),
        "therapist_id": st.sampled_from(THERAPISTS),
        "hour": st.one_of(st.integers(0, 200), st.integers(0, LAST_DAY * 24)),
        "duration_minutes": st.sampled_from([30, 50, None]),
        "status": st.sampled_from(["attended", "attended", "attended", "no_show"]),
        "service": st.sampled_from(["therapy", "assessment", None]),
    }
)
RESPONSE = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(CLIENTS),
        "therapist_id": st.sampled_from(THERAPISTS),
        "instrument": st.sampled_from(["srs", "ors"]),
        "rater": st.sampled_from(["client", "caregiver"]),
        "hour": st.integers(0, 300),
        "has_time": st.booleans(),
        "answers": ANSWERS,
    }
)
EPISODE = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(CLIENTS),
        "opens": st.integers(0, LAST_DAY),
        "lasts": st.one_of(st.none(), st.integers(0, 60)),
    }
)
CLINIC = st.fixed_dictionaries(
    {
        "appointments": st.lists(APPOINTMENT, min_size=1, max_size=12),
        "responses": st.lists(RESPONSE, max_size=10),
        "episodes": st.lists(EPISODE, max_size=2),
    }
)


def frames(drawn: dict[str, list[dict]]) -> dict[str, pl.DataFrame]:
    """Record tables of a drawn clinic."""
    return {
        "appointments": _frame(
            "appointments", [_appointment(n, **each) for n, each in enumerate(drawn["appointments"])]
        ),
        "responses": _frame("responses", [_response(n, **each) for n, each in enumerate(drawn["responses"])]),
        "episodes": _frame("episodes", [_episode(n, **each) for n, each in enumerate(drawn["episodes"])]),
    }


def _appointment(number: int, hour: int, **more: object) -> dict:
    starts = FIRST_DAY + timedelta(hours=hour)
    return {**more, "session_id": f"a{number}", "starts_at": starts, "starts_local": starts.replace(tzinfo=None)}


def _response(number: int, hour: int, has_time: bool, **more: object) -> dict:
    at = FIRST_DAY + timedelta(hours=hour)
    return {**more, "response_id": f"r{number}", "completed_at": at if has_time else None, "completed_on": at.date()}


def _episode(number: int, opens: int, lasts: int | None, **more: object) -> dict:
    opened = FIRST_DAY.date() + timedelta(days=opens)
    closed = None if lasts is None else opened + timedelta(days=lasts)
    return {**more, "episode_id": f"e{number}", "opened_on": opened, "closed_on": closed}


def _frame(kind: str, rows: list[dict]) -> pl.DataFrame:
    """The rows as a record table; columns that they lack are as in a record that says little."""
    usual = records(kind, _FIRST[kind]).collect()
    made = pl.DataFrame(rows, schema={name: usual.schema[name] for name in rows[0]}) if rows else usual.clear()
    absent = [name for name in usual.columns if name not in made.columns]
    return made.with_columns(pl.lit(usual[name].item(), dtype=usual.schema[name]).alias(name) for name in absent)


_FIRST = {
    "appointments": "session_id | starts_at\nx | 2026-01-01",
    "responses": "response_id\nx",
    "episodes": "episode_id | opened_on\nx | 2026-01-01",
}


def tables(records_of: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    made = computed(DECLARED, **{kind: frame.lazy() for kind, frame in records_of.items()})
    return {table.name: made[table.name].sort(table.key) for table in PER_CLIENT}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in one.items():
        assert_frame_equal(frame, other[name], check_exact=True)


@settings(max_examples=25, deadline=None)
@given(drawn=CLINIC)
def test_all_clients_at_once_equals_client_by_client(drawn):
    whole = frames(drawn)
    mine = {kind: frame.partition_by("client_id", as_dict=True) for kind, frame in whole.items()}
    parts = [{kind: mine[kind].get((c,), frame.clear()) for kind, frame in whole.items()} for c in CLIENTS]
    each = [tables(part) for part in parts if any(frame.height for frame in part.values())]
    one_by_one = {t.name: pl.concat([part[t.name] for part in each]).sort(t.key) for t in PER_CLIENT}
    assert_same(tables(whole), one_by_one)


@settings(max_examples=25, deadline=None)
@given(drawn=CLINIC, seed=st.integers(0, 99))
def test_the_order_of_the_records_does_not_matter(drawn, seed):
    whole = frames(drawn)
    shuffled = {kind: frame.sample(fraction=1, shuffle=True, seed=seed) for kind, frame in whole.items()}
    assert_same(tables(whole), tables(shuffled))


@settings(max_examples=40, deadline=None)
@given(drawn=CLINIC, later=APPOINTMENT, rated=RESPONSE, days=st.sampled_from([7, 30, 100]))
def test_a_later_session_changes_no_earlier_session_and_no_earlier_alliance(drawn, later, rated, days):
    """Later by more than the longest window, so that it takes no response from a session before it."""
    hour = days * 24 + max(each["hour"] for each in (*drawn["appointments"], *drawn["responses"]))
    session = {**later, "status": "attended", "service": "therapy"}
    rating = {**rated, "instrument": "srs", "client_id": later["client_id"], "therapist_id": None, "answers": [7.0] * 4}
    one = _and(drawn, {**session, "hour": 0}, {**rating, "hour": 1})
    two = _and(one, {**session, "hour": hour}, {**rating, "hour": hour + 1, "answers": [10.0] * 4})
    before, after = tables(frames(one)), tables(frames(two))
    settled = pl.col("session_date") < (FIRST_DAY + timedelta(hours=hour)).date()
    for name in ("sessions", "alliance"):
        assert_frame_equal(before[name], after[name].filter(settled))


def _and(drawn: dict[str, list[dict]], appointment: dict, response: dict) -> dict[str, list[dict]]:
    appointments, responses = [*drawn["appointments"], appointment], [*drawn["responses"], response]
    return {**drawn, "appointments": appointments, "responses": responses}
