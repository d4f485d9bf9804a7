"""The course of a therapy, slot by slot: how the alliance moves, how symptoms follow, and who stays.

One step handles all episodes at once. What drives what is PLANTED below, and flows.demo.recovery asks whether the
metrics find it again: the alliance (0-10) rises over the first sessions, is broken by ruptures and usually repaired,
and differs by therapist; symptoms (0-1) as the next session begins have fallen faster after a better alliance; how
responsive the first two sessions felt decides who stays more than four; later a poor or ruptured alliance makes
clients miss appointments and drop out."""

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
MORE_THAN_FOUR = 5
LEAVE_AFTER_ONE, USUAL_STAYING, USUAL_FELT = 0.05, 1.6, 7.6  # share; log-odds at that mean of the first two sessions


@dataclass(frozen=True)
class Planted:
    """The truth of a simulated clinic: what the metrics should find, and what they should not."""

    alliance_on_symptoms: float = 0.009  # fall of symptoms (0-1) until the next session, per point of alliance (0-10)
    responsiveness_on_staying: float = 0.6  # log-odds of more than four sessions, per point felt in sessions 1 and 2
    therapist_sd: float = 0.35  # of therapists' mean alliance, in points; clients differ by 0.9
    rupture_share: float = 0.06  # of sessions in a whole alliance that break it
    repair_share: float = 0.5  # of sessions in a broken one that repair it


PLANTED = Planted()
NOTHING = Planted(alliance_on_symptoms=0, responsiveness_on_staying=0, therapist_sd=0)


@dataclass
class Dyads:
    """Where every client and therapist are with each other now: one entry per episode."""

    level: np.ndarray
    growth: np.ndarray
    pace: np.ndarray
    severity: np.ndarray
    rupture: np.ndarray
    alliance: np.ndarray
    felt: np.ndarray
    leaves_after: np.ndarray
    sessions: np.ndarray
    is_open: np.ndarray
    is_leaving: np.ndarray


@dataclass
class Courses:
    """Episodes by slots; status is -1 where no appointment was made. Symptoms are those that the client comes with, the
    alliance and whether it is ruptured those at the end."""

    status: np.ndarray
    service: np.ndarray
    alliance: np.ndarray
    severity: np.ndarray
    is_ruptured: np.ndarray
    closure: np.ndarray

    def __add__(self, later: "Courses") -> "Courses":
        return Courses(*(np.concatenate([getattr(self, f.name), getattr(later, f.name)]) for f in fields(self)))

    @property
    def last_slot(self) -> np.ndarray:
        slots: np.ndarray = (self.status >= 0).sum(axis=1)
        return slots - 1


def courses(rng: np.random.Generator, effect: np.ndarray, is_minor: np.ndarray, truth: Planted = PLANTED) -> Courses:
    """Run each episode from its first appointment to its end; `effect` is what the therapist brings."""
    count = len(effect)
    now = begin(rng, effect)
    closure = np.full(count, -1, dtype=np.int8)
    steps = [step(rng, now, closure, is_minor, slot, truth) for slot in range(SLOTS)]
    closure[closure < 0] = PLANNED
    status, service, alliance, severity, is_ruptured = (np.stack(column, axis=1) for column in zip(*steps, strict=True))
    return Courses(status, service, alliance, severity, is_ruptured, closure)


def begin(rng: np.random.Generator, effect: np.ndarray) -> Dyads:
    count = len(effect)
    level = rng.normal(7.3 + effect, 0.9)
    zeros = np.zeros(count)
    return Dyads(
        level=level,
        growth=np.maximum(rng.normal(1.3, 0.7, count), -0.8),
        pace=np.maximum(rng.normal(1.0, 0.5, count), 0.0),
        severity=0.3 + 0.6 * rng.beta(2.5, 2.5, count),
        rupture=zeros.copy(),
        alliance=level.copy(),
        felt=zeros.copy(),
        leaves_after=np.where(rng.random(count) < LEAVE_AFTER_ONE, 1, MORE_THAN_FOUR),
        sessions=zeros.copy(),
        is_open=np.ones(count, dtype=bool),
        is_leaving=np.zeros(count, dtype=bool),
    )


def step(
    rng: np.random.Generator, now: Dyads, closure: np.ndarray, is_minor: np.ndarray, slot: int, truth: Planted
) -> tuple[np.ndarray, ...]:
    """One appointment slot of every open episode."""
    service = offered(rng, is_minor, slot)
    status = np.where(now.is_open, kept(rng, now), -1).astype(np.int8)
    seen = status >= RESCHEDULED
    session = seen & (service == THERAPY)
    met = now.severity.astype(np.float32)
    relate(rng, now, session, truth)
    feel(rng, now, session, truth)
    decide(rng, now, session, truth)
    stay(rng, now, closure, seen, slot)
    return status, service, now.alliance.astype(np.float32), met, now.rupture > 0


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


def relate(rng: np.random.Generator, now: Dyads, session: np.ndarray, truth: Planted) -> None:
    """Growth that levels off, ruptures that break it, repairs that leave it a little stronger."""
    drawn, depth, noise = (
        rng.random(len(session)),
        rng.uniform(0.8, 3.2, len(session)),
        rng.normal(size=len(session)),
    )
    whole = now.rupture == 0
    repaired = session & ~whole & (drawn < truth.repair_share)
    broken = session & whole & (drawn < truth.rupture_share)
    now.rupture = np.where(broken, depth, np.where(repaired, 0.0, now.rupture))
    now.level = now.level + 0.12 * repaired
    now.sessions = now.sessions + session
    grown = now.level + now.growth * (1 - np.exp(-now.sessions / 5))
    now.alliance = np.where(session, np.clip(grown - now.rupture + 0.25 * noise, 0, 10), now.alliance)


def feel(rng: np.random.Generator, now: Dyads, session: np.ndarray, truth: Planted) -> None:
    """Symptoms fall until the next session, faster after a better alliance, and never quite vanish."""
    help_received = 0.016 * now.pace + truth.alliance_on_symptoms * (now.alliance - USUAL_ALLIANCE)
    change = rng.normal(0, 0.035, len(session)) - help_received
    now.severity = np.where(session, np.clip(now.severity + change, 0.03, 0.97), now.severity)


def decide(rng: np.random.Generator, now: Dyads, session: np.ndarray, truth: Planted) -> None:
    """After the second session: who goes on past the fourth, by how the first two felt."""
    now.felt = now.felt + np.where(session & (now.sessions <= 2), now.alliance / 2, 0.0)
    log_odds = USUAL_STAYING + truth.responsiveness_on_staying * (now.felt - USUAL_FELT)
    drawn, last = rng.random(len(session)), rng.integers(2, MORE_THAN_FOUR, len(session))
    goes = session & (now.sessions == 2) & (drawn > 1 / (1 + np.exp(-log_odds)))
    now.leaves_after = np.where(goes, last, now.leaves_after)


def stay(rng: np.random.Generator, now: Dyads, closure: np.ndarray, seen: np.ndarray, slot: int) -> None:
    """Planned endings once symptoms are low, dropout where the alliance is poor, and the rest of life."""
    now.is_open &= ~now.is_leaving
    is_early = now.sessions < MORE_THAN_FOUR
    better = (now.sessions >= 8) & (now.severity < 0.22)
    planned = np.where(better, 0.3, 0.0) + (0.06 if slot >= 32 else 0.0)
    poor = 0.55 * (USUAL_ALLIANCE - now.alliance) + 0.9 * (now.rupture > 0)
    dropout = np.where(is_early, now.sessions >= now.leaves_after, 1 / (1 + np.exp(4.9 - poor)))
    rest = np.full((3, len(seen)), [[0.004], [0.0015], [0.001]]) * ~is_early
    hazards = np.stack([np.where(is_early, 0.0, planned), *rest, dropout])
    ending = (rng.random(len(seen)) > np.cumsum(hazards, axis=0)).sum(axis=0)
    ends = now.is_open & seen & (ending < len(CLOSURES))
    closure[ends] = ending[ends]
    now.is_leaving = ends & (ending == DROPOUT)
    now.is_open &= ~ends | now.is_leaving
