"""Per-client tables are pure: of one client's own records alone, whatever their order, and settled once settled."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.clinics.drawn_clinics import (
    APPOINTMENT,
    CLIENTS,
    CLINIC,
    FIRST_DAY,
    PER_CLIENT,
    RESPONSE,
    SRS,
    dense,
    frames,
    tables,
)

# Which rows no later session may change: those of an earlier day, by the column that has it, or those that say so.
SETTLED = {
    "appointments": "session_date",
    "sessions": "session_date",
    "session_therapists": "session_id",
    "responses": "completed_on",
    "scores": "completed_on",
    "score_bands": "response_id",
    "t_scores": "response_id",
    "episodes": "opened_on",
    "alliance": "session_date",
    "alliance_agreement": "session_date",
    "collaboration": "session_date",
    "outcome_scores": "session_date",
    "early_alliance": "is_settled",
    "ruptures": "is_over",
}
MONTH = 24 * 30  # hours: so few starts that many appointments are lines of one visit
# A row about all there is so far: every session changes it.
SO_FAR = {
    "clients",
    "alliance_congruence",
    "alliance_means",
    "alliance_shapes",
    "engagement",
    "goals",
    "motivation",
    "other_raters",
    "outcomes",
    "reliable_outcomes",
    "responsiveness",
}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in one.items():
        assert_frame_equal(frame, other[name], check_exact=True)


def test_every_per_client_table_is_covered_and_has_rows_to_look_at():
    assert SETTLED.keys() | SO_FAR == {table.name for table in PER_CLIENT}
    assert not SETTLED.keys() & SO_FAR
    assert [name for name, frame in tables(frames(dense())).items() if frame.height == 0] == []


def test_a_dense_course_is_the_same_in_any_order_and_beside_any_client():
    whole = frames(dense())
    shuffled = {kind: frame.sample(fraction=1, shuffle=True, seed=7) for kind, frame in whole.items()}
    other = {kind: frame.with_columns(client_id=pl.lit("bob")) for kind, frame in whole.items()}
    ids = ("session_id", "appointment_id", "response_id", "appointment_session_id")
    other = {
        kind: frame.with_columns(pl.col(name) + "b" for name in ids if name in frame.columns)
        for kind, frame in other.items()
    }
    both = {kind: pl.concat([shuffled[kind], other[kind]]).unique() for kind in whole}
    mine = {name: frame.filter(pl.col("client_id") == "ann") for name, frame in tables(both).items()}
    assert_same({name: frame.filter(pl.col("client_id") == "ann") for name, frame in tables(whole).items()}, mine)


@settings(max_examples=12)
@given(drawn=CLINIC)
def test_all_clients_at_once_equals_client_by_client(drawn):
    whole = frames(drawn)
    mine = {kind: frame.partition_by("client_id", as_dict=True) for kind, frame in whole.items()}
    parts = [{kind: mine[kind].get((c,), frame.clear()) for kind, frame in whole.items()} for c in CLIENTS]
    each = [tables(part) for part in parts if any(frame.height for frame in part.values())]
    one_by_one = {t.name: pl.concat([part[t.name] for part in each]).sort(t.key) for t in PER_CLIENT}
    assert_same(tables(whole), one_by_one)


@settings(max_examples=12)
@given(drawn=CLINIC, seed=st.integers(0, 99))
def test_the_order_of_the_records_does_not_matter(drawn, seed):
    whole = frames(drawn)
    shuffled = {kind: frame.sample(fraction=1, shuffle=True, seed=seed) for kind, frame in whole.items()}
    assert_same(tables(whole), tables(shuffled))


@settings(max_examples=12)
@given(drawn=CLINIC, seed=st.integers(0, 99))
def test_visits_on_several_lines_are_of_one_client_alone_and_have_no_order(drawn, seed):
    booked = [
        {**each, "hour": each["hour"] // MONTH * MONTH, "therapist_id": ("tom", "uma", "vic")[at % 3]}
        for at, each in enumerate(drawn["appointments"])
    ]
    whole = frames({**drawn, "appointments": booked})
    shuffled = {kind: frame.sample(fraction=1, shuffle=True, seed=seed) for kind, frame in whole.items()}
    all_at_once = tables(whole, visits_of=["practice"])
    assert_same(all_at_once, tables(shuffled, visits_of=["practice"]))
    mine = {kind: frame.filter(pl.col("client_id") == "ann") for kind, frame in whole.items()}
    if any(frame.height for frame in mine.values()):
        of_ann = {name: frame.filter(pl.col("client_id") == "ann") for name, frame in all_at_once.items()}
        assert_same(of_ann, tables(mine, visits_of=["practice"]))


@settings(max_examples=16)
@given(drawn=CLINIC, later=APPOINTMENT, rated=RESPONSE, days=st.sampled_from([7, 30, 100]))
def test_a_later_session_changes_nothing_that_was_settled(drawn, later, rated, days):
    """Later by more than the longest window, so that it takes no response from a session before it."""
    hour = days * 24 + max(each["hour"] for each in (*drawn["appointments"], *drawn["responses"]))
    session = {**later, "status": "attended", "service": "therapy"}
    rating = {**rated, "client_id": later["client_id"], "therapist_id": None, "names": None, "said": SRS[1]}
    one = _and(_naming_no_later(drawn), {**session, "hour": 0}, {**rating, "hour": 1})
    two = _and(one, {**session, "hour": hour}, {**rating, "hour": hour + 1})
    assert_settled(tables(frames(one)), tables(frames(two)), hour)


@pytest.mark.parametrize("lasts", range(1, 8))
def test_what_a_dense_course_has_settled_stays_as_it_goes_on(lasts):
    whole = dense()
    until = (lasts * 7 - 1) * 24
    shorter = {kind: [each for each in rows if each.get("hour", 0) < until] for kind, rows in whole.items()}
    assert_settled(tables(frames(shorter)), tables(frames(whole)), until)


def assert_settled(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame], hour: int) -> None:
    """Every settled row of `before` is in `after` as it was, and nothing was added to a day that is past."""
    day = pl.lit((FIRST_DAY + timedelta(hours=hour)).date())
    for name, told in SETTLED.items():
        one, other = before[name], after[name]
        if one.schema[told] == pl.Date:
            assert_frame_equal(one.filter(pl.col(told) < day), other.filter(pl.col(told) < day))
        elif one.schema[told] == pl.Boolean:
            settled = one.filter(told)
            assert_frame_equal(settled, other.join(settled, on=_key(name), how="semi").sort(_key(name)))
        else:  # a record's own rows
            assert_frame_equal(one, other.join(one, on=told, how="semi").sort(_key(name)))


def _key(name: str) -> tuple[str, ...]:
    return next(table.key for table in PER_CLIENT if table.name == name)


def _naming_no_later(drawn: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """A response that names the appointment still to come would rightly move to it."""
    count = len(drawn["appointments"])
    responses = [
        {**each, "names": None if each["names"] is None or each["names"] >= count else each["names"]}
        for each in drawn["responses"]
    ]
    return {**drawn, "responses": responses}


def _and(drawn: dict[str, list[dict]], appointment: dict, response: dict) -> dict[str, list[dict]]:
    appointments, responses = [*drawn["appointments"], appointment], [*drawn["responses"], response]
    return {**drawn, "appointments": appointments, "responses": responses}
