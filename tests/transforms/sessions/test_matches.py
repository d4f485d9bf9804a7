"""The match report: do the sources speak of the same people, and which responses meet a session."""

from datetime import UTC, datetime

import polars as pl
import pytest

from rapport.transforms.sessions.matches import COUNTS, STATES, finished, match_counts, matches_of_records
from tests.clinics.drawn import clinic, lines, records, seen

BOOKED = """
    source   | session_id | client_id | therapist_id | starts_at        | duration_minutes | status
    practice | s1         | ann       | tom          | 2026-03-02 15:00 | 50               | attended
    practice | s2         | ann       | tom          | 2026-03-12 15:00 | 50               | attended
    practice | s3         | ann       | tom          | 2026-03-20 15:00 | 50               | scheduled
    practice | s4         | ann       | uma          | 2026-03-08 15:00 | 50               | no_show
    practice | s5         | bob       | tom          | 2026-03-03 15:00 | 50               | no_show
    """
TOLD = "source | response_id | client_id | instrument | rater | completed_at | completed_on | therapist_id | " + (
    "appointment_session_id"
)
KNOWN_TO = {"practice": datetime(2026, 3, 18, 3, tzinfo=UTC)}
NIGHT = "2026-03-18 03:00"
STATE_OF = [
    # client, instrument, completed_at, completed_on, therapist, the appointment that it names
    ("a response that names its appointment is matched by it", "ann|srs|2026-03-09 10:00|||s1", "appointment"),
    ("a response within the window of its questionnaire is matched by time", "ann|srs|2026-03-02 15:50|||", "time"),
    ("a date without a time is matched by its day", "ann|srs||2026-03-02||", "day"),
    ("a client without any appointment is unknown", "cid|srs|2026-03-02 15:50|||", "client_unknown"),
    ("before the nearest session is too early", "ann|srs|2026-03-10 15:00|||", "too_early"),
    ("after the nearest session is too late", "ann|srs|2026-03-06 15:00|||", "too_late"),
    ("equally near to two sessions counts for the earlier", "ann|srs|2026-03-07 15:00|||", "too_late"),
    ("a minute nearer to the later session is too early", "ann|srs|2026-03-07 15:01|||", "too_early"),
    ("before the first session is too early", "ann|srs|2026-02-01 15:00|||", "too_early"),
    ("a day before a session is too early", "ann|srs||2026-03-11||", "too_early"),
    ("a day after a session is too late", "ann|srs||2026-03-03||", "too_late"),
    ("within the window of an appointment still to come it waits", "ann|ors|2026-03-19 15:00|||", "waiting"),
    ("on the day of an appointment still to come it waits", "ann|srs||2026-03-20||", "waiting"),
    ("it waits for the appointment to come that it names", "ann|srs|2026-03-06 15:00|||s3", "waiting"),
    ("after the newest export of appointments it waits", "ann|srs|2026-03-18 03:01|||", "waiting"),
    ("until that export it does not", f"ann|srs|{NIGHT}|||", "too_late"),
    ("on the day of that export it waits", "ann|srs||2026-03-18||", "waiting"),
    ("naming an appointment that is not there yet it waits", "ann|srs|2026-03-18 09:00|||s9", "waiting"),
    ("naming an appointment that should be there it has no session", "ann|srs|2026-03-02 15:50|||s9", "no_session"),
    ("naming an appointment that was missed it has no session", "ann|srs|2026-03-08 15:50|||s4", "no_session"),
    ("of a client who only missed appointments it has no session", "bob|srs|2026-03-03 15:50|||", "no_session"),
    ("of a therapist without a session with the client it has none", "ann|srs|2026-03-08 15:50||uma|", "no_session"),
    ("the sessions of another therapist are not near", "ann|srs|2026-03-06 15:00||tom|", "too_late"),
    ("without a date it has no session", "ann|srs||||", "no_session"),
]


def report(appointments: str = BOOKED, known_to: dict = KNOWN_TO, **drawn: str) -> pl.DataFrame:
    kinds = {"clients": "source", "episodes": "source", "responses": "source", **drawn, "appointments": appointments}
    frames = {f"{kind.removesuffix('s')}_records": records(kind, text).collect() for kind, text in kinds.items()}
    return matches_of_records(frames, clinic(), known_to)


def answers(*rows: str, source: str = "surveys") -> str:
    """Drawn responses: client | instrument | completed_at | completed_on | therapist | appointment."""
    told = [f"{source} | {source}{n} | {' | '.join(row.split('|')[:2])} | client | {' | '.join(row.split('|')[2:])}"
            for n, row in enumerate(rows)]  # fmt: skip
    return "\n".join([TOLD, *told])


def state_of(row: str) -> str:
    found = report(responses=answers(row)).filter(source="surveys")
    (state,) = [state for state in STATES if found[f"{state}_count"].item()]
    return state


@pytest.mark.parametrize(("row", "state"), [each[1:] for each in STATE_OF], ids=[each[0] for each in STATE_OF])
def test_every_response_is_in_one_state(row, state):
    assert state_of(row) == state


def test_a_row_for_each_source_counts_its_records_its_clients_and_those_known_to_the_appointments():
    found = report(
        clients="source | client_id\nregister | ann\nregister | cid",
        episodes="source | episode_id | client_id | opened_on\nregister | e1 | ann | 2026-03-01",
        responses=answers(*(row for _, row, _ in STATE_OF)),
    )
    drawing = """
        source   | record_count | client_count | known_client_count | response_count | time_count | client_unknown_count
        practice | 5            | 2            | 2                  | 0              | 0          | 0
        register | 3            | 2            | 1                  | 0              | 0          | 0
        surveys  | 24           | 3            | 2                  | 24             | 1          | 1
        """
    assert seen(found, drawing) == lines(drawing)
    surveys = found.filter(source="surveys")
    assert sum(surveys[f"{state}_count"].item() for state in STATES) == 24
    assert surveys.select("delivered_count", "delivered_matched_count").row(0) == (24 - 6, 3)


def test_clients_who_are_joined_with_another_id_space_are_known_under_their_one_pseudonym():
    found = report(responses=answers("ann|srs|2026-03-02 15:50|||", source="portal")).filter(source="portal")
    assert found.select("client_count", "known_client_count", "time_count").row(0) == (1, 1, 1)


def test_two_sources_of_one_id_space_have_a_row_each():
    both = answers("ann|srs|2026-03-02 15:50|||") + answers("cid|srs|2026-03-02 15:50|||", source="more")[len(TOLD) :]
    found = report(responses=both)
    drawing = """
        source   | client_count | known_client_count
        more     | 1            | 0
        practice | 2            | 2
        surveys  | 1            | 1
        """
    assert seen(found, drawing) == lines(drawing)


def test_the_appointments_of_each_system_are_known_up_to_its_own_newest_export():
    second = BOOKED.rstrip() + "\nsite | t1 | dee | tom | 2026-03-02 15:00 | 50 | attended"
    known_to = {**KNOWN_TO, "site": datetime(2026, 3, 9, tzinfo=UTC)}
    late = answers("ann|srs|2026-03-17 15:00|||", "dee|srs|2026-03-17 15:00|||")
    found = report(second, known_to, responses=late).filter(source="surveys")
    assert found.select("too_late_count", "waiting_count").row(0) == (1, 1)


def test_without_any_appointment_nothing_is_counted_as_zero():
    found = report("source", responses=answers("ann|srs|2026-03-02 15:50|||"))
    assert found.select("record_count", "client_count", "response_count").row(0) == (1, 1, 1)
    told = ("source", "record_count", "client_count", "response_count")
    assert found.drop(told).row(0) == (None,) * (len(COUNTS) - 3)


def test_responses_that_an_earlier_night_brought_are_no_part_of_tonights_delivery():
    told = records("responses", answers("ann|srs|2026-03-02 15:50|||", "ann|srs|2026-03-06 15:00|||"))
    kinds = {f"{kind.removesuffix('s')}_records": records(kind) for kind in ("clients", "episodes")}
    appointments = records("appointments", BOOKED).with_columns(session_date=pl.col("starts_local").dt.date())
    kinds |= {
        "appointment_records": appointments,
        "response_records": told.with_columns(is_new=pl.Series([False, True])),
    }
    matched = pl.LazyFrame({"response_id": ["surveys0", "surveys1"], "matched_by": ["time", None]})
    found = match_counts(kinds, appointments, matched, clinic(), KNOWN_TO).filter(source="surveys")
    assert found.select("response_count", "delivered_count", "delivered_matched_count").row(0) == (2, 1, 0)
    twice = finished([found, found.with_columns(known_client_count=pl.lit(0, dtype=pl.Int64))])
    assert twice.select("response_count", "known_client_count").row(0) == (4, 1)
