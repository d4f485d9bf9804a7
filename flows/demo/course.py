"""The course of a therapy, slot by slot: how the alliance moves, how symptoms follow, and who stays.

One step handles all episodes at once. The alliance (0-10) rises over the first sessions, is broken by
ruptures and usually repaired; symptoms (0-1) fall faster in a better alliance; a poor or ruptured alliance
makes clients miss appointments and drop out. A fuller causal model belongs in `relate`, `feel` and `stay`.
"""

from dataclasses import dataclass, fields

import numpy as np

SLOTS = 56
STATUSES = ("no_show", "late_cancel", "cancelled_by_client", "cancelled_by_clinic", "rescheduled", "attended")
NO_SHOW, LATE_CANCEL, CANCELLED_BY_CLIENT, CANCELLED_BY_CLINIC, RESCHEDULED, ATTENDED = range(6)
SERVICES = ("therapy", "assessment", "parent_session", "medication_check")
THERAPY, ASSESSMENT, PARENT_SESSION, MEDICATION_CHECK = range(4)
CLOSURES = ("planned", "client_ended", "transferred", "other", "dropout")
PLANNED, DROPOUT = CLOSURES.index("planned"), CLOSURES.index("dropout")
USUAL_ALLIANCE = 8.0


@dataclass
class Dyads:
    """Where every client and therapist are with each other now: one entry per episode."""

    level: np.ndarray
    growth: np.ndarray
    pace: np.ndarray
    severity: np.ndarray
    rupture: np.ndarray
    alliance: np.ndarray
    sessions: np.ndarray
    is_open: np.ndarray
    is_leaving: np.ndarray


@dataclass
class Courses:
    """Episodes by slots; status is -1 where no appointment was made."""

    status: np.ndarray
    service: np.ndarray
    alliance: np.ndarray
    severity: np.ndarray
    closure: np.ndarray

    def __add__(self, later: "Courses") -> "Courses":
        return Courses(*(np.concatenate([getattr(self, f.name), getattr(later, f.name)]) for f in fields(self)))

    @property
    def last_slot(self) -> np.ndarray:
        return (self.status >= 0).sum(axis=1) - 1


def courses(rng: np.random.Generator, effect: np.ndarray, is_minor: np.ndarray) -> Courses:
    """Run each episode from its first appointment to its end; `effect` is what the therapist brings."""
    count = len(effect)
    now = begin(rng, effect)
    closure = np.full(count, -1, dtype=np.int8)
    steps = [step(rng, now, closure, is_minor, slot) for slot in range(SLOTS)]
    closure[closure < 0] = PLANNED
    return Courses(*(np.stack(column, axis=1) for column in zip(*steps, strict=True)), closure)


def begin(rng: np.random.Generator, effect: np.ndarray) -> Dyads:
    count = len(effect)
    level = rng.normal(7.3 + effect, 0.9)
    zeros = np.zeros(count)
    return Dyads(
        level=level,
        growth=np.maximum(rng.normal(1.3, 0.7, count), -0.8),
        pace=np.maximum(rng.normal(1.0, 0.5, count), 0.0),
        severity=0.2 + 0.7 * rng.beta(2.5, 2.5, count),
        rupture=zeros.copy(),
        alliance=level.copy(),
        sessions=zeros.copy(),
        is_open=np.ones(count, dtype=bool),
        is_leaving=np.zeros(count, dtype=bool),
    )


def step(
    rng: np.random.Generator, now: Dyads, closure: np.ndarray, is_minor: np.ndarray, slot: int
) -> tuple[np.ndarray, ...]:
    """One appointment slot of every open episode."""
    service = offered(rng, is_minor, slot)
    status = np.where(now.is_open, kept(rng, now), -1).astype(np.int8)
    seen = status >= RESCHEDULED
    session = seen & (service == THERAPY)
    relate(rng, now, session)
    feel(rng, now, session)
    stay(rng, now, closure, seen, slot)
    return status, service, now.alliance.astype(np.float32), now.severity.astype(np.float32)


def offered(rng: np.random.Generator, is_minor: np.ndarray, slot: int) -> np.ndarray:
    """Most courses open with an assessment; now and then the parents or the medication have their turn."""
    drawn = rng.random(len(is_minor))
    if slot == 0:
        return np.where(drawn < 0.6, ASSESSMENT, THERAPY).astype(np.int8)
    parents = is_minor & (drawn < 0.04)
    return np.select([parents, drawn > 0.97], [PARENT_SESSION, MEDICATION_CHECK], THERAPY).astype(np.int8)


def kept(rng: np.random.Generator, now: Dyads) -> np.ndarray:
    """How each appointment ends; who is about to drop out misses it."""
    drawn = rng.random(len(now.level))
    missed = np.clip(0.05 - 0.02 * (now.alliance - USUAL_ALLIANCE), 0.02, 0.2)
    bounds = missed[:, None] + np.array([0.0, 0.035, 0.085, 0.11, 0.13])
    status = (drawn[:, None] > bounds).sum(axis=1)
    return np.where(now.is_leaving, np.where(drawn < 0.7, NO_SHOW, CANCELLED_BY_CLIENT), status)


def relate(rng: np.random.Generator, now: Dyads, session: np.ndarray) -> None:
    """Growth that levels off, ruptures that break it, repairs that leave it a little stronger."""
    drawn, depth, noise = (
        rng.random(len(session)),
        rng.uniform(0.8, 3.2, len(session)),
        rng.normal(size=len(session)),
    )
    whole = now.rupture == 0
    repaired = session & ~whole & (drawn < 0.5)
    now.rupture = np.where(session & whole & (drawn < 0.06), depth, np.where(repaired, 0.0, now.rupture))
    now.level = now.level + 0.12 * repaired
    now.sessions = now.sessions + session
    grown = now.level + now.growth * (1 - np.exp(-now.sessions / 5))
    now.alliance = np.where(session, np.clip(grown - now.rupture + 0.25 * noise, 0, 10), now.alliance)


def feel(rng: np.random.Generator, now: Dyads, session: np.ndarray) -> None:
    """Symptoms fall with each session, faster in a better alliance, and never quite vanish."""
    help_received = 0.02 * now.pace * (1 + 0.4 * (now.alliance - USUAL_ALLIANCE))
    change = rng.normal(0, 0.035, len(session)) - help_received
    now.severity = np.where(session, np.clip(now.severity + change, 0.03, 0.97), now.severity)


def stay(rng: np.random.Generator, now: Dyads, closure: np.ndarray, seen: np.ndarray, slot: int) -> None:
    """Planned endings once symptoms are low, dropout where the alliance is poor, and the rest of life."""
    now.is_open &= ~now.is_leaving
    better = (now.sessions >= 8) & (now.severity < 0.22)
    planned = np.where(better, 0.14, 0.0) + (0.06 if slot >= 32 else 0.0)
    poor = 0.55 * (USUAL_ALLIANCE - now.alliance) + 0.9 * (now.rupture > 0) + 0.8 * (now.sessions < 4)
    hazards = np.stack([planned, *np.full((3, len(seen)), [[0.004], [0.0015], [0.001]]), 1 / (1 + np.exp(4.9 - poor))])
    ending = (rng.random(len(seen)) > np.cumsum(hazards, axis=0)).sum(axis=0)
    ends = now.is_open & seen & (ending < len(CLOSURES))
    closure[ends] = ending[ends]
    now.is_leaving = ends & (ending == DROPOUT)
    now.is_open &= ~ends | now.is_leaving
