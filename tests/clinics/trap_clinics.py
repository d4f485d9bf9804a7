"""Clinics in which few carry what many seem to, or in which much stands at one time: as record frames, with SRS and ORS
about every session."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from tests.clinics.drawn import table
from tests.clinics.drawn_clinics import BIRTHS, record_frame

FIRST_DAY = datetime(2025, 1, 6, 15, tzinfo=UTC)


def weekly(sessions: dict[str, int], spread: float = 1.2) -> dict[str, pl.LazyFrame]:
    """Records of clients who came so many weeks, to two therapists in turn; their given episodes are over. "ann
    again" is ann's second episode, 40 weeks later. With a spread of 0 all answer the same at all times."""
    rng = np.random.default_rng(3)
    appointments, responses, episodes = [], [], []
    for client, count in sessions.items():
        episodes.append(_episode(client, count))
        level = rng.normal(6, spread)
        for number in range(count):
            appointments.append(_appointment(client, number))
            for instrument, mean in (("srs", level), ("ors", 4 + 0.25 * spread * number)):
                lines = np.clip(np.round(rng.normal(mean, spread, 4), 1), 0, 10)
                responses.append(_response(client, number, instrument, [float(line) for line in lines]))
    return _records(sorted({_client(name) for name in sessions}), episodes, appointments, responses)


def crowded(clients: int, sessions: int = 6) -> dict[str, pl.LazyFrame]:
    """Records in which what has an order often has none by time: two sessions at one start, at two sites, with two
    therapists; two answers to each form at one time, which name no session; two episodes from one day."""
    rng = np.random.default_rng(4)
    appointments, responses, episodes = [], [], []
    names = [f"c{at:02d}" for at in range(clients)]
    for client in names:
        episodes += [_episode(client, sessions, more) for more in ("", " again")]
        for number, site in ((number, site) for number in range(sessions) for site in ("north", "south")):
            of = {"site": site, "therapist_id": f"{site} therapist"}
            appointments.append(_appointment(client, number, f" {site}") | of)
            for instrument in ("srs", "ors"):
                lines = [float(line) for line in rng.integers(3, 10, 4)]
                unnamed = {"appointment_session_id": None}
                responses.append(_response(client, number, instrument, lines, f" {site}") | unnamed)
    return _records(names, episodes, appointments, responses)


def _records(clients: list[str], *of_kinds: list[dict]) -> dict[str, pl.LazyFrame]:
    told = [{"client_id": client, "sex": None} for client in clients]
    kinds = ("clients", "episodes", "appointments", "responses")
    frames = [record_frame(kind, rows).lazy() for kind, rows in zip(kinds, (told, *of_kinds), strict=True)]
    records = {f"{kind.removesuffix('s')}_records": frame for kind, frame in zip(kinds, frames, strict=True)}
    return records | {"client_ids": frames[0].select("client_id"), "birth_dates": table(BIRTHS).clear()}


def _client(name: str) -> str:
    return name.partition(" ")[0]


def _starts(name: str, number: int) -> datetime:
    return FIRST_DAY + timedelta(weeks=number + (40 if " " in name else 0))


def _appointment(client: str, number: int, more: str = "") -> dict:
    starts = _starts(client, number)
    return {
        "session_id": f"{client}-{number}{more}",
        "client_id": _client(client),
        "therapist_id": f"{_client(client)}'s {'first' if number % 2 == 0 else 'second'}",
        "starts_at": starts,
        "starts_local": starts.replace(tzinfo=None),
        "status": "attended",
    }


def _response(client: str, number: int, instrument: str, answers: list[float], more: str = "") -> dict:
    return {
        "response_id": f"{instrument} {client}-{number}{more}",
        "client_id": _client(client),
        "instrument": instrument,
        "rater": "client",
        "appointment_session_id": f"{client}-{number}",
        "completed_at": _starts(client, number) + timedelta(minutes=40),
        "completed_on": _starts(client, number).date(),
        "answers": answers,
    }


def _episode(client: str, count: int, more: str = "") -> dict:
    opened, closed = _starts(client, 0).date(), _starts(client, count - 1).date() + timedelta(days=1)
    named = {"episode_id": f"e-{client}{more}", "client_id": _client(client)}
    return named | {"opened_on": opened, "closed_on": closed}
