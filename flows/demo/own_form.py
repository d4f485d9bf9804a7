"""The clinic's own small form, in the plain format: goals (GBO), motivation (MYTS) and observers' ratings (Elkin).

One row per item. Each night's file has only new responses. None is changed later, and none is spoiled.
"""

import numpy as np
import polars as pl

from rapport.flows.demo.appointments import local_time
from rapport.flows.demo.bookings import DAY, Calendar
from rapport.flows.demo.course import USUAL_ALLIANCE
from rapport.flows.demo.defects import unspoiled
from rapport.flows.demo.episodes import day_text
from rapport.flows.demo.forms import IS_ELEVEN, IS_MINOR
from rapport.flows.demo.nights import FOREVER, Export, comma_separated, export_lines
from rapport.flows.demo.people import Practice
from rapport.flows.demo.responses import sessions

COLUMNS = (
    *("response_id", "client_id", "instrument", "rater", "rater_id"),
    *("appointment_id", "completed_at", "item", "value", "about"),
)
GOAL_COUNT = 3
EVERY_THIRD = (pl.col("session_number") - 1) % 3 == 0
NO_PROGRESS = 6.8  # the alliance (0-10) below which goals move away
MOTIVATION_ITEMS = 8
FIRST_AND_FOURTH = pl.col("session_number").is_in([1, 4])
# On the MYTS range of 1 to 5: the mean, the standard deviation between persons, and the effect of a point of alliance.
MOTIVATION = {"client": (3.1, 0.5, 0.35), "caregiver": (4.1, 0.35, 0.1)}
TAPED_SHARE, RATED_SHARE, OBSERVER_COUNT = 0.45, 0.92, 3
# Elkin's scales, whose range is not published (here 1 to 5): the mean mark, and the effect of a point of alliance.
OBSERVED = {
    "positive_atmosphere": (3.6, 0.4),
    "attentiveness": (3.9, 0.0),
    "early_empathic_responding": (3.4, 0.0),
    "negative_behaviour": (1.6, -0.25),
    "global": (3.5, 0.4),
}


def export(clinic: Practice, held: Calendar) -> Export:
    met = sessions(clinic, held.appointments).sort("episode", "session_number")
    count = held.episodes.height
    asked = [motivation(clinic, rater, count, met) for rater in MOTIVATION]
    parts = pl.concat([goals(clinic, count, met), *asked, observed(clinic, count, met)])
    lines = export_lines([unspoiled(rows(clinic, parts))], comma_separated(COLUMNS))
    return Export("responses_%Y-%m-%d.csv", ",".join(COLUMNS), lines, is_whole=False)


def goals(clinic: Practice, count: int, met: pl.DataFrame) -> pl.DataFrame:
    """Responses about one to three goals per episode, at the first session and every third after it."""
    rng = clinic.chance("goals")
    set_up, drawn = rng.integers(1, GOAL_COUNT + 1, count), rng.random((count, GOAL_COUNT))
    gained = (pl.col("alliance") - NO_PROGRESS).cum_sum().over("episode")
    due = met.with_columns(gained=gained).filter(EVERY_THIRD, said_yes(rng, met))
    whose = due["episode"].to_numpy()
    is_set = np.arange(GOAL_COUNT) < set_up[whose][:, None]
    values = np.where(is_set, reached(rng, count, due), np.nan)
    about = owners(drawn[whose], due.select(IS_MINOR).to_series().to_numpy()[:, None])
    items = [f"goal:{number}" for number in range(1, GOAL_COUNT + 1)]
    return filled(at_the_end(rng, due), "gbo", "client", items, values, about)


def reached(rng: np.random.Generator, count: int, due: pl.DataFrame) -> np.ndarray:
    """The progress of each goal, 0 to 10. It rises with the sum of the alliance over the sessions."""
    shape, whose = (count, GOAL_COUNT), due["episode"].to_numpy()
    start, pace = rng.integers(0, 4, shape), rng.uniform(0.08, 0.3, shape)
    noise = rng.normal(0, 0.6, (due.height, GOAL_COUNT))
    marks: np.ndarray = np.rint(start[whose] + pace[whose] * due["gained"].to_numpy()[:, None] + noise)
    return marks.clip(0, 10)


def owners(drawn: np.ndarray, is_minor: np.ndarray) -> np.ndarray:
    """The person who set each goal, mostly the client. A goal that all agreed on is 'other'."""
    bounds = [drawn < 0.58, (drawn < 0.8) & is_minor, drawn < 0.8, drawn < 0.92]
    return np.select(bounds, ["client", "caregiver", "client", "therapist"], "other")


def motivation(clinic: Practice, rater: str, count: int, met: pl.DataFrame) -> pl.DataFrame:
    """Responses of a minor of eleven or more, or of the caregiver, at the first and the fourth session."""
    rng = clinic.chance(f"motivation {rater}")
    usual, spread, by_alliance = MOTIVATION[rater]
    own = rng.normal(usual, spread, count)
    due = met.filter(FIRST_AND_FOURTH, IS_MINOR, IS_ELEVEN, said_yes(rng, met))
    felt = own[due["episode"]] + by_alliance * (due["alliance"].to_numpy() - USUAL_ALLIANCE + 1)
    values = np.clip(np.rint(felt[:, None] + rng.normal(0, 0.6, (due.height, MOTIVATION_ITEMS))), 1, 5)
    items = [str(number) for number in range(1, MOTIVATION_ITEMS + 1)]
    return filled(at_the_end(rng, due), "myts", rater, items, values)


def observed(clinic: Practice, count: int, met: pl.DataFrame) -> pl.DataFrame:
    """Ratings of sessions 1 and 2 of taped episodes, by one observer within three weeks. They have a day, no time."""
    rng = clinic.chance("observers")
    taped, observer = rng.random(count) < TAPED_SHARE, rng.integers(1, OBSERVER_COUNT + 1, count)
    is_rated = pl.Series(taped[met["episode"]] & (rng.random(met.height) < RATED_SHARE))
    due = met.filter(pl.col("session_number") <= 2, is_rated)
    whose = due["episode"].to_numpy()
    rater = pl.Series([f"O{number}" for number in observer[whose]], dtype=pl.String)
    day = pl.col("starts") // DAY + pl.Series(rng.integers(3, 22, due.height))
    rated = due.with_columns(from_day=day, completed_at=day_text(day), rater_id=rater)
    return filled(rated, "elkin_responsiveness", "observer", list(OBSERVED), marks(rng, count, due))


def marks(rng: np.random.Generator, count: int, due: pl.DataFrame) -> np.ndarray:
    """The observer's marks around each scale's mean. A therapist's manner with a client is the same in each session."""
    usual, by_alliance = np.array(list(OBSERVED.values())).T
    manner = rng.normal(0, 0.4, (count, len(OBSERVED)))[due["episode"].to_numpy()]
    felt = usual + by_alliance * (due["alliance"].to_numpy()[:, None] - USUAL_ALLIANCE + 0.5)
    given: np.ndarray = np.round(felt + manner + rng.normal(0, 0.3, felt.shape), 1)
    return given.clip(1, 5)


def said_yes(rng: np.random.Generator, met: pl.DataFrame) -> pl.Series:
    return pl.Series(rng.random(met.height)) < met["asked"]


def at_the_end(rng: np.random.Generator, due: pl.DataFrame) -> pl.DataFrame:
    """The responses with their times: within a quarter of an hour after the session."""
    minute = pl.col("starts") + pl.col("minutes") + pl.Series(rng.integers(1, 16, due.height))
    return due.with_columns(
        completed_at=local_time(minute), from_day=pl.col("starts") // DAY, rater_id=pl.lit(None, pl.String)
    )


def filled(
    due: pl.DataFrame, instrument: str, rater: str, items: list[str], values: np.ndarray, about: np.ndarray | str = ""
) -> pl.DataFrame:
    """One row per response, with its items, values and owners in lists."""
    return due.select(
        *("client", "client_id", "rater_id", "completed_at", "appointment"),
        from_day=pl.col("from_day").cast(pl.Int64),
        instrument=pl.lit(instrument),
        rater=pl.lit(rater),
        item=pl.lit(items, pl.List(pl.String)),
        value=pl.Series(values.tolist(), dtype=pl.List(pl.Float64)),
        about=pl.Series(np.broadcast_to(about, values.shape).tolist(), dtype=pl.List(pl.String)),
    )


def rows(clinic: Practice, responses: pl.DataFrame) -> pl.DataFrame:
    """One row per answered item. Responses are numbered in the order in which they come."""
    order = ("from_day", "client", "instrument", "rater", "appointment")
    known = responses.filter(pl.col("from_day") < clinic.last).sort(order)
    numbered = known.with_row_index("record", offset=1).cast({"record": pl.Int64})
    answered = numbered.explode("item", "value", "about").filter(pl.col("value").is_not_nan())
    return answered.with_columns(
        response_id=pl.lit("F") + pl.col("record").cast(pl.String).str.zfill(6),
        appointment_id=pl.lit("A") + pl.col("appointment").cast(pl.String).str.zfill(7),
        value=pl.col("value").cast(pl.String).str.strip_suffix(".0"),
        order=pl.int_range(pl.len()).cast(pl.Int64),
        to_day=pl.lit(FOREVER, pl.Int64),
    )
