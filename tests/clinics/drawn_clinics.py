"""Clinics that Hypothesis draws: a few clients with appointments, episodes and every kind of questionnaire."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from rapport import transforms
from rapport.warehouse.instruments.t_scores import TScore, TScores
from tests.clinics.drawn import clinic, computed, records

CLIENTS, THERAPISTS = ("ann", "bob"), ("tom", None)
BIRTHS = "client_id | birth_date\nann | 2012-06-01\nbob | 1990-06-01"
FIRST_DAY = datetime(2026, 1, 5, 15, tzinfo=UTC)
LAST_DAY = 400
NORMS = TScores("drawn", (TScore("rcads_25", "total", "client", "female", -3, 12, 25, 61.0),))
DECLARED = clinic(
    not_treatment=["assessment"],
    accepted=["myts", "srs.item_below_9"],
    t_scores=NORMS,
    sources_of_people=("practice",),
)
PER_CLIENT = [table for table in transforms.tables() if table.per == "client"]
ELKIN = [{"scale": scale, "score": 3.0} for scale in ("positive_atmosphere", "global")]
# Instrument, rater, answers, given scores, goal owners.
SRS = [("srs", "client", answers, None, None) for answers in ([9.0, 9.0, 9.0, 9.5], [3.3, 0.0, 10.0, 5.0], [7.0] * 4)]
PARTIAL = [("srs", "client", answers, None, None) for answers in ([7.0, 7.0, None, 7.0], [None] * 4)]
WAI = [("wai_sr", rater, [level] * 12, None, None) for rater in ("client", "therapist") for level in (3.0, 5.0)]
OTHERS = [
    ("ors", "caregiver", [3.3, 0.0, 10.0, 5.0], None, None),
    ("ors", "client", [8.0] * 4, None, None),
    ("phq9", "client", [2.0] * 9, None, None),
    ("gad7", "client", [1.0] * 7, None, None),
    ("rcads_25", "client", [1.0] * 25, None, None),
    ("gbo", "client", [3.0, 7.0, None], None, ["client", None, None]),
    ("myts", "caregiver", [4.0] * 8, None, None),
    ("homework", "therapist", [2.0], None, None),
    ("elkin_responsiveness", "observer", None, ELKIN, None),
]
PSQ = [("psq", "therapist", answers, None, None) for answers in ([1.0, 3.0, 2.0], [1.0, 2.0, 4.0], [0.0, None, None])]
APPOINTMENT = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(CLIENTS),
        "therapist_id": st.sampled_from(THERAPISTS),
        "hour": st.one_of(st.integers(0, 200), st.integers(0, LAST_DAY * 24)),
        "duration_minutes": st.sampled_from([30, 50, None]),
        "status": st.sampled_from(["attended", "attended", "attended", "no_show"]),
        "service": st.sampled_from(["therapy", "therapy", "assessment", None]),
    }
)
RESPONSE = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(CLIENTS),
        "therapist_id": st.sampled_from(THERAPISTS),
        "hour": st.integers(0, 300),
        "has_time": st.booleans(),
        "names": st.one_of(st.none(), st.integers(0, 11), st.integers(0, 11)),
        "rater_id": st.sampled_from([None, None, "one", "other"]),
        "said": st.sampled_from([*SRS, *SRS, *SRS, *PARTIAL, *WAI, *PSQ, *OTHERS]),
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
        "responses": st.lists(RESPONSE, max_size=16),
        "episodes": st.lists(EPISODE, max_size=2),
    }
)


def frames(drawn: dict[str, list[dict]]) -> dict[str, pl.DataFrame]:
    """Record tables of a drawn clinic."""
    appointments = [_appointment(n, **each) for n, each in enumerate(drawn["appointments"])]
    whose = {each["session_id"]: each["client_id"] for each in appointments}
    return {
        "appointments": record_frame("appointments", appointments),
        "responses": record_frame(
            "responses", [_response(n, whose, **each) for n, each in enumerate(drawn["responses"])]
        ),
        "episodes": record_frame("episodes", [_episode(n, **each) for n, each in enumerate(drawn["episodes"])]),
        "clients": record_frame("clients", [{"client_id": client, "sex": "female"} for client in CLIENTS]),
    }


def _appointment(number: int, hour: int, **more: object) -> dict:
    starts = FIRST_DAY + timedelta(hours=hour)
    return {**more, "session_id": f"a{number}", "starts_at": starts, "starts_local": starts.replace(tzinfo=None)}


def _response(
    number: int, whose: dict[str, str], hour: int, has_time: bool, names: int | None, said: tuple, **more: object
) -> dict:
    at = FIRST_DAY + timedelta(hours=hour)
    named = f"a{names}" if whose.get(f"a{names}") == more["client_id"] else None
    instrument, rater, answers, given, owners = said
    return {
        **more,
        "response_id": f"r{number}",
        "completed_at": at if has_time else None,
        "completed_on": at.date(),
        "appointment_session_id": named,
        "instrument": instrument,
        "rater": rater,
        "answers": answers,
        "given_scores": given,
        "goal_owners": owners,
    }


def _episode(number: int, opens: int, lasts: int | None, **more: object) -> dict:
    opened = FIRST_DAY.date() + timedelta(days=opens)
    closed = None if lasts is None else opened + timedelta(days=lasts)
    return {**more, "episode_id": f"e{number}", "opened_on": opened, "closed_on": closed}


def record_frame(kind: str, rows: list[dict]) -> pl.DataFrame:
    """The rows as a record table; columns that they lack are as in a record that says little."""
    usual = records(kind, _FIRST[kind]).collect()
    made = pl.DataFrame(rows, schema={name: usual.schema[name] for name in rows[0]}) if rows else usual.clear()
    made = made.with_columns(loaded_number=pl.int_range(pl.len(), dtype=pl.Int64))
    absent = [name for name in usual.columns if name not in made.columns]
    return made.with_columns(pl.lit(usual[name].item(), dtype=usual.schema[name]).alias(name) for name in absent)


_FIRST = {
    "appointments": "session_id | starts_at\nx | 2026-01-01",
    "responses": "response_id\nx",
    "episodes": "episode_id | opened_on\nx | 2026-01-01",
    "clients": "client_id | sex\nx |",
}


def tables(records_of: dict[str, pl.DataFrame], visits_of: Collection[str] = ()) -> dict[str, pl.DataFrame]:
    """Every per-client table, in the order of its key. `visits_of`: the sources whose lines are visits."""
    made = computed(DECLARED, BIRTHS, visits_of=visits_of, **{kind: frame.lazy() for kind, frame in records_of.items()})
    return {table.name: made[table.name].sort(table.key) for table in PER_CLIENT}


def dense() -> dict[str, list[dict]]:
    """A clinic in which every per-client table has rows: weekly sessions, rated by everybody and by two parents."""
    week = 7 * 24
    appointments = [
        {
            "client_id": "ann",
            "therapist_id": "tom",
            "hour": at * week,
            "duration_minutes": 50,
            "status": "attended",
            "service": "therapy",
        }
        for at in range(8)
    ]
    said = [*[SRS[0]] * 2, SRS[1], *[SRS[2]] * 5], [WAI[0]] * 8, [WAI[2], WAI[3]] * 4, [PSQ[0], PSQ[2]] * 4
    two_parents = [("one", [OTHERS[0]] * 8), ("other", [OTHERS[0]] * 8)]
    everything = [*said, *([other] * 8 for other in OTHERS)]
    responses = [
        {
            "client_id": "ann",
            "therapist_id": None,
            "hour": at * week + 1,
            "has_time": True,
            "names": at,
            "rater_id": rater_id,
            "said": each[at],
        }
        for at in range(8)
        for rater_id, each in [*((None, each) for each in everything), *two_parents]
    ]
    return {"appointments": appointments, "responses": responses, "episodes": []}
