"""The simulated course of therapies, slot by slot: the alliance, the symptoms, and how long clients stay.

One step computes a slot of all episodes. PLANTED below has the sizes of the effects, and flows.demo.recovery tests
whether the metrics find them:

- The alliance (0-10) rises over the first sessions and differs by therapist. Ruptures break it, and most are repaired.
- Symptoms (0-1) fall faster until the next session after a better alliance.
- Felt responsiveness in the first two sessions decides who stays more than four sessions.
- Later, clients with a poor or ruptured alliance miss appointments and drop out."""

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
LEAVE_AFTER_ONE, USUAL_STAYING, USUAL_FELT = 0.05, 1.6, 7.6  # share; log-odds; the mean alliance with these log-odds


@dataclass(frozen=True)
class Planted:
    """The true effects of a simulated clinic, which the metrics should find."""

    alliance_on_symptoms: float = 0.009  # fall of symptoms (0-1) until the next session, per point of alliance (0-10)
    responsiveness_on_staying: float = 0.6  # log-odds of more than four sessions, per point felt in sessions 1 and 2
    therapist_sd: float = 0.35  # standard deviation of therapists' mean alliance, in points; that of clients is 0.9
    rupture_share: float = 0.06  # the share of sessions that begin a rupture, where there is none
    repair_share: float = 0.5  # the share of sessions in a rupture that repair it


PLANTED = Planted()
NOTHING = Planted(alliance_on_symptoms=0, responsiveness_on_staying=0, therapist_sd=0)


@dataclass
class Dyads:
    """The present state of each client and therapist together: one entry per episode."""

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
    """Arrays of episodes by slots. `status` is -1 where no appointment was made. `severity` (0-1) is at the beginning
    of a session; `alliance` (0-10) and `is_ruptured` are at its end."""

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
    """Simulate each episode from its first appointment to its end. `effect`: the therapist's effect on the alliance,
    in points, one per episode."""
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
    """Simulate one appointment slot of every open episode."""
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
    """The service of each appointment. Most courses begin with an assessment; some sessions are for the parents or
    the medication."""
    drawn = rng.random(len(is_minor))
    if slot == 0:
        return np.where(drawn < 0.6, ASSESSMENT, THERAPY).astype(np.int8)
    parents = is_minor & (drawn < 0.04)
    return np.select([parents, drawn > 0.97], [PARENT_SESSION, MEDICATION_CHECK], THERAPY).astype(np.int8)


def kept(rng: np.random.Generator, now: Dyads) -> np.ndarray:
    """The status of each appointment. Clients who are dropping out miss it."""
    drawn = rng.random(len(now.level))
    missed = np.clip(0.05 - 0.02 * (now.alliance - USUAL_ALLIANCE), 0.02, 0.2)
    bounds = missed[:, None] + np.array([0.0, 0.035, 0.085, 0.11, 0.13])
    status = (drawn[:, None] > bounds).sum(axis=1)
    return np.where(now.is_leaving, np.where(drawn < 0.7, NO_SHOW, CANCELLED_BY_CLIENT), status)


def relate(rng: np.random.Generator, now: Dyads, session: np.ndarray, truth: Planted) -> None:
    """Update the alliance: growth that levels off, ruptures, and repairs that leave it a little stronger."""
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
    """Update the symptoms: they fall until the next session, faster after a better alliance, and never reach 0."""
    help_received = 0.016 * now.pace + truth.alliance_on_symptoms * (now.alliance - USUAL_ALLIANCE)
    change = rng.normal(0, 0.035, len(session)) - help_received
    now.severity = np.where(session, np.clip(now.severity + change, 0.03, 0.97), now.severity)


def decide(rng: np.random.Generator, now: Dyads, session: np.ndarray, truth: Planted) -> None:
    """After the second session, decide who stays more than four sessions, from the alliance in the first two."""
    now.felt = now.felt + np.where(session & (now.sessions <= 2), now.alliance / 2, 0.0)
    log_odds = USUAL_STAYING + truth.responsiveness_on_staying * (now.felt - USUAL_FELT)
    drawn, last = rng.random(len(session)), rng.integers(2, MORE_THAN_FOUR, len(session))
    goes = session & (now.sessions == 2) & (drawn > 1 / (1 + np.exp(-log_odds)))
    now.leaves_after = np.where(goes, last, now.leaves_after)


def stay(rng: np.random.Generator, now: Dyads, closure: np.ndarray, seen: np.ndarray, slot: int) -> None:
    """End episodes: planned endings at low symptoms, dropouts at a poor alliance, and endings for other reasons."""
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
