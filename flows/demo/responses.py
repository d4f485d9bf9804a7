"""The answers of clients, caregivers and therapists around a session, and later changes by staff."""

import numpy as np
import polars as pl

from rapport.flows.demo import course
from rapport.flows.demo.bookings import DAY
from rapport.flows.demo.forms import Form
from rapport.flows.demo.nights import FOREVER
from rapport.flows.demo.people import Practice, therapist_count, therapist_ids

OPENED_SHARE, BY_STAFF_SHARE, CORRECTED_SHARE, SKIPPED_ITEM_SHARE = 0.02, 0.015, 0.005, 0.012
FINISHED_LATER_SHARE = 0.5  # the share of unfinished responses that are finished later
CEILING_INSTRUMENTS = ("srs", "wai_sr")
CEILING_SHARE = 0.15  # the share of clients who mark the highest values


def sessions(clinic: Practice, appointments: pl.DataFrame) -> pl.DataFrame:
    """The attended treatment sessions, with the share of surveys for which each therapist asks."""
    asked = clinic.chance("diligence").uniform(0.66, 0.95, therapist_count(clinic))
    held = appointments.filter("is_session", pl.col("status") == course.ATTENDED)
    return held.select(
        *(
            "client",
            "client_id",
            "site",
            "episode",
            "appointment",
            "therapist",
            "session_number",
            "alliance",
            "severity",
            "starts",
            "minutes",
        ),
        age_days=pl.col("day") - pl.col("birth"),
        asked=pl.Series(asked).gather(held["therapist"]),
    )


def responses(clinic: Practice, form: Form, held: pl.DataFrame) -> pl.DataFrame:
    """One row per version of a response to this form: the form's columns, and the days when it was valid."""
    rng = clinic.chance(form.name)
    due = held.filter(form.due, pl.Series(rng.random(held.height)) < pl.col("asked"))
    due = due.with_columns(seconds=pl.Series(filled_in(rng, form, due) * 60 + rng.integers(0, 60, due.height)))
    due = due.filter(pl.col("seconds") < clinic.last * DAY * 60).sort("client", "seconds")
    due = due.with_columns(instance=pl.int_range(1, pl.len() + 1).over("client"))
    due = due.with_columns(**answers(rng, form, due), **fates(rng, form, due.height))
    return versions(rng, clinic, form, due)


def filled_in(rng: np.random.Generator, form: Form, due: pl.DataFrame) -> np.ndarray:
    """The minute when the form is sent, always between seven in the morning and eleven at night."""
    starts: np.ndarray = due["starts"].to_numpy()
    count = due.height
    ends, midnight = starts + due["minutes"].to_numpy(), starts - starts % DAY
    sent: np.ndarray
    if form.timing == "start":
        sent = starts - rng.integers(0, 11, count)
    elif form.timing == "end":
        sent = ends + rng.integers(-5, 11, count)
    elif form.timing == "after":
        sent = ends + rng.integers(2, 21, count)
    elif form.timing == "evening":
        sent = midnight + rng.integers(19 * 60 + 15, 22 * 60, count)
    else:
        sent = midnight + DAY * rng.integers(-1, 2, count) + rng.integers(8 * 60, 21 * 60, count)
    return sent


def answers(rng: np.random.Generator, form: Form, due: pl.DataFrame) -> dict[str, pl.Series]:
    """The answers by column: random values around the rater's mean mark. Some mark the ceiling, some skip an item."""
    shape = (due.height, form.item_count)
    felt = form.answer(due["alliance"].to_numpy(), due["severity"].to_numpy())[:, None]
    marked = felt + form.noise * rng.standard_normal(shape, dtype=np.float32)
    if form.rater == "client" and form.instrument in CEILING_INSTRUMENTS:
        marked[is_pleased(due)] += 3
    values = np.clip(np.round(marked, form.decimals), form.low, form.high) + 0.0  # no "-0.0"
    skipped = rng.random(due.height) < SKIPPED_ITEM_SHARE
    values[skipped, rng.integers(0, form.item_count, skipped.sum())] = np.nan
    kind = pl.Float64 if form.decimals else pl.Int8
    items = (pl.Series(values[:, at].astype(np.float64), nan_to_null=True) for at in range(form.item_count))
    return {name: item.round(form.decimals).cast(kind) for name, item in zip(form.items, items, strict=True)}


def is_pleased(due: pl.DataFrame) -> np.ndarray:
    """Whether a client marks the highest values. These are the same clients every time, by their numbers."""
    return (due["client"].to_numpy() * 7919 % 1000) < 1000 * CEILING_SHARE


def fates(rng: np.random.Generator, form: Form, count: int) -> dict[str, pl.Series]:
    """Whether a response is left unfinished, entered by staff (without a time), or changed later; never two of them."""
    drawn, second = rng.random(count), rng.random(count)
    opened = drawn < OPENED_SHARE
    staff = ~opened & (drawn < OPENED_SHARE + BY_STAFF_SHARE)
    corrected = drawn > 1 - CORRECTED_SHARE
    finished = opened & (second < FINISHED_LATER_SHARE) & (form.timing != "start")
    changed = np.where(finished, 1, np.where(corrected, rng.integers(1, 10, count), FOREVER))
    return {"opened": pl.Series(opened), "staff": pl.Series(staff), "days_until_change": pl.Series(changed)}


def versions(rng: np.random.Generator, clinic: Practice, form: Form, due: pl.DataFrame) -> pl.DataFrame:
    """Each response as first saved, and as finished or corrected before the last night."""
    day = pl.col("seconds") // (DAY * 60)
    change = pl.min_horizontal(day + pl.col("days_until_change"), FOREVER)
    due = due.with_columns(from_day=day, to_day=change)
    again = changed(rng, form, due.filter(pl.col("to_day") < clinic.last))
    both = pl.concat([due, again.select(due.columns).cast(due.schema)])
    both = both.filter(pl.col("to_day") >= clinic.nights[0])
    return both.select(exported(form)).sort("client", "instance", "from_day")


def changed(rng: np.random.Generator, form: Form, before: pl.DataFrame) -> pl.DataFrame:
    """The later versions: finished the next afternoon, or with the first item corrected by one point."""
    midnight = pl.col("seconds") - pl.col("seconds") % (DAY * 60)
    afternoon = midnight + DAY * 60 + pl.Series(rng.integers(15 * 3600, 20 * 3600, before.height))
    first = pl.col(form.items[0])
    mended = pl.when(first > form.low + 1).then(first - 1).otherwise(first + 1).fill_null(form.low + 1)
    return before.with_columns(
        pl.when("opened").then(first).otherwise(mended.round(form.decimals)).alias(form.items[0]),
        seconds=pl.when("opened").then(afternoon).otherwise("seconds"),
        opened=pl.lit(False),
        from_day=pl.col("to_day"),
        to_day=pl.lit(FOREVER, pl.Int64),
    )


def exported(form: Form) -> list[pl.Expr]:
    """The columns as REDCap exports them. An unfinished survey has only the first half of its items."""
    time = (pl.col("seconds") * 1000).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%d %H:%M:%S")
    stamp = pl.when("opened").then(pl.lit("[not completed]")).when("staff").then(None).otherwise(time)
    unseen = form.items[form.item_count // 2 :]
    return [
        *(pl.col(name) for name in ("client", "client_id", "site", "instance", "from_day", "to_day")),
        stamp.alias(form.timestamp),
        *([therapist_ids(pl.col("therapist")).alias(form.therapist_column)] if form.therapist_column else []),
        *(pl.col(item) for item in form.items if item not in unseen),
        *(pl.when(~pl.col("opened")).then(item).alias(item) for item in unseen),
        pl.when("opened").then(0).otherwise(2).alias(form.complete),
    ]
