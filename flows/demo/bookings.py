"""The practice's calendar: every episode's slots as booked appointments, each with its status."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from rapport.flows.demo import course
from rapport.flows.demo.people import Practice, therapist_count

WEEKLY_SLOTS = 18  # then every other week
DAY_OF_SLOT = np.concatenate(
    [7 * np.arange(WEEKLY_SLOTS), 7 * (WEEKLY_SLOTS - 1) + 14 * np.arange(1, course.SLOTS - WEEKLY_SLOTS + 1)]
)
DAY = 1440  # minutes


@dataclass(frozen=True)
class Calendar:
    """Episodes, one row each in the order of their numbers, and their appointments, one row each."""

    episodes: pl.DataFrame
    appointments: pl.DataFrame


def calendar(clinic: Practice, people: pl.DataFrame) -> Calendar:
    rng = clinic.chance("course")
    effects = rng.normal(0, course.PLANTED.therapist_sd, therapist_count(clinic))
    began, first = begun(rng, people, effects)
    again = returning(rng, began)
    began_again, second = begun(rng, again, effects)
    episodes = pl.concat([began, began_again]).with_row_index("episode")
    rows = booked(clinic.chance("bookings"), clinic, episodes, first + second)
    return Calendar(episodes, numbered(rows))


def begun(rng: np.random.Generator, people: pl.DataFrame, effects: np.ndarray) -> tuple[pl.DataFrame, course.Courses]:
    """One episode per person, from the day `start` to its end, and the courses of these episodes."""
    age_days = people["start"] - people["birth"]
    run = course.courses(rng, effects[people["therapist"]], (age_days < 18 * 365.25).to_numpy())
    last = people["start"].to_numpy() + DAY_OF_SLOT[run.last_slot]
    return people.with_columns(last=last, closure=run.closure), run


def returning(rng: np.random.Generator, began: pl.DataFrame) -> pl.DataFrame:
    """The fifth of the people who come back: after more than ninety days, to the same therapist and hour."""
    gap = 7 * rng.integers(15, 57, began.height)
    start = pl.col("last") + pl.Series(gap) - (pl.col("last") - pl.col("start")) % 7
    back = pl.Series(rng.random(began.height) < 0.2)
    return began.with_columns(start=start).filter(back).drop("last", "closure")


def booked(rng: np.random.Generator, clinic: Practice, episodes: pl.DataFrame, run: course.Courses) -> pl.DataFrame:
    """One row per appointment that the practice knows on its last night."""
    episode, slot = np.nonzero(run.status >= 0)
    cells = {name: getattr(run, name)[episode, slot] for name in ("status", "service", "alliance", "severity")}
    whose = episodes.select("client", "start", "lead", "hour", "therapist", "modality", "birth", "site", "client_id")
    frame = whose[episode].with_columns(pl.Series("episode", episode), **{n: pl.Series(c) for n, c in cells.items()})
    frame = frame.with_columns(day=pl.col("start") + DAY_OF_SLOT[slot], slot=pl.Series(slot))
    frame = frame.with_columns(known=pl.col("day") - pl.col("lead")).filter(pl.col("known") < clinic.last)
    return moved(settled(rng, clinic, frame)).filter(pl.col("known") < clinic.last)


def settled(rng: np.random.Generator, clinic: Practice, frame: pl.DataFrame) -> pl.DataFrame:
    """Appointments with length, modality and therapist. One episode in 25 changes therapist at the seventh."""
    count = frame.height
    usual = np.array([50, 60, 45, 30])[frame["service"].to_numpy()]
    minutes = np.where(rng.random(count) < 0.1, usual - 5, usual)
    video = pl.Series(rng.random(count) < 0.08)
    handed_over = (pl.col("episode") % 25 == 7) & (pl.col("slot") >= 6)
    therapist = pl.when(handed_over).then((pl.col("therapist") + 1) % therapist_count(clinic))
    return frame.with_columns(
        minutes=pl.Series(minutes),
        modality=pl.when(video).then(pl.lit("video")).otherwise("modality"),
        therapist=therapist.otherwise("therapist"),
        starts=pl.col("day") * DAY + pl.col("hour") * 60,
    )


def moved(frame: pl.DataFrame) -> pl.DataFrame:
    """The appointments, and for each rescheduled one a new attended one, one to three days later."""
    weekday = (pl.col("day") + 3) % 7
    later = pl.when(weekday < 3).then(2).when(weekday == 3).then(1).otherwise(3)
    new = frame.filter(pl.col("status") == course.RESCHEDULED).with_columns(
        day=pl.col("day") + later,
        starts=pl.col("starts") + later * DAY,
        known=pl.col("day") - 1,
        status=pl.lit(course.ATTENDED, pl.Int8),
    )
    return pl.concat([frame, new.select(frame.columns)])


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """The appointments in the order of booking, with the number of each treatment session in its episode."""
    is_session = (pl.col("status") == course.ATTENDED) & (pl.col("service") == course.THERAPY)
    frame = frame.sort("episode", "starts").with_columns(is_session=is_session)
    frame = frame.with_columns(session_number=pl.col("is_session").cum_sum().over("episode"))
    return frame.sort("known", "client", "starts").with_row_index("appointment", offset=1)
