"""Clinics in which few carry what many seem to: as record frames, with SRS and ORS after every session."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from drawn import table
from drawn_clinics import BIRTHS, _frame

FIRST_DAY = datetime(2025, 1, 6, 15, tzinfo=UTC)


def weekly(sessions: dict[str, int], seed: int = 3, noisy: bool = True) -> dict[str, pl.LazyFrame]:
    """Records of clients who came so many weeks, to two therapists in turn; their given episodes are over."""
    rng = np.random.default_rng(seed)
    appointments, responses, episodes = [], [], []
    for client, count in sessions.items():
        episodes.append(_episode(client, count))
        level = rng.normal(6, 1.5)
        for number in range(count):
            appointments.append(_appointment(client, number))
            for instrument, mean in (("srs", level), ("ors", 4 + 0.3 * number)):
                lines = np.clip(np.round(rng.normal(mean, 1.2, 4), 1), 0, 10)
                responses.append(_response(client, number, instrument, [float(line) for line in lines]))
    clients = [{"client_id": client, "sex": None} for client in sessions]
    frames = {
        "client_records": _frame("clients", clients),
        "episode_records": _frame("episodes", episodes),
        "appointment_records": _frame("appointments", appointments),
        "response_records": _frame("responses", responses),
    }
    lazy = {name: frame.lazy() for name, frame in frames.items()}
    return lazy | {"client_ids": lazy["client_records"].select("client_id"), "birth_dates": table(BIRTHS).clear()}


def _starts(number: int) -> datetime:
    return FIRST_DAY + timedelta(weeks=number)


def _appointment(client: str, number: int) -> dict:
    starts = _starts(number)
    return {
        "session_id": f"{client}-{number}",
        "client_id": client,
        "therapist_id": f"{client}'s {'first' if number % 2 == 0 else 'second'}",
        "starts_at": starts,
        "starts_local": starts.replace(tzinfo=None),
        "status": "attended",
    }


def _response(client: str, number: int, instrument: str, answers: list[float]) -> dict:
    return {
        "response_id": f"{instrument} {client}-{number}",
        "client_id": client,
        "instrument": instrument,
        "rater": "client",
        "appointment_session_id": f"{client}-{number}",
        "completed_at": _starts(number) + timedelta(minutes=40),
        "completed_on": _starts(number).date(),
        "answers": answers,
    }


def _episode(client: str, count: int) -> dict:
    closed = _starts(count - 1).date() + timedelta(days=1)
    return {"episode_id": f"e-{client}", "client_id": client, "opened_on": FIRST_DAY.date(), "closed_on": closed}
