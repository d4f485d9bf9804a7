"""The practice system's episode export, in the plain format: all episodes, every night."""

import numpy as np
import polars as pl

from rapport.flows.demo import course
from rapport.flows.demo.defects import LARGEST_SHARE, Way, as_text, first_night_count, plant, unspoiled, valid
from rapport.flows.demo.nights import FOREVER, Export, comma_separated, export_lines
from rapport.flows.demo.people import Practice

COLUMNS = (
    "episode_id",
    "client_id",
    "opened_on",
    "closed_on",
    "closure",
    "presenting_problem",
    "program",
    "referral_source",
)
PROBLEMS = ("depression", "anxiety", "depression_and_anxiety", "adjustment")
PROGRAMS = ("cognitive_behavioral", "interpersonal", "family_based", "play_therapy")
REFERRALS = ("self", "parent", "school", "pediatrician", "other_clinic")
EARLIER = pl.col("opened_on").str.to_date().dt.offset_by("-3d").dt.to_string("%Y-%m-%d")
WAYS = (
    Way("closed_on_before_opened_on", {"closed_on": EARLIER, "closure": "other"}),
    Way("client_id_missing", {"client_id": ""}),
    Way("conflicting_duplicate", {"referral_source": "school"}, {"referral_source": "parent"}),
    Way("closure_unknown", {"closed_on": pl.col("opened_on"), "closure": "moved_away"}),
    Way("unreadable", {"opened_on": "last spring"}),
    Way("opened_on_missing", {"opened_on": ""}),
    Way("unreadable", {"closed_on": "2026-02-30", "closure": "other"}),
)


def fresh_id(number: pl.Expr) -> pl.Expr:
    """An episode number that the practice has not used."""
    return pl.lit("E") + (9_000_000 + number).cast(pl.String)


def rows(clinic: Practice, episodes: pl.DataFrame) -> pl.DataFrame:
    """Two versions of each exported episode: open, then closed. A tenth of the clients have no exported episode."""
    rng = clinic.chance("episodes")
    known = episodes.with_columns(**dates(rng, episodes), **words(rng, episodes.height))
    known = known.filter("has_given_episode")
    closure = pl.col("closure").replace_strict(dict(enumerate(course.CLOSURES)), return_dtype=pl.String)
    return pl.concat(
        [
            version(
                known,
                clinic,
                begin="opened",
                end="closed",
                day=pl.lit(None, pl.Int64),
                closure=pl.lit(None, pl.String),
            ),
            version(known, clinic, begin="closed", end=None, day=pl.col("closed"), closure=closure),
        ]
    ).sort("order", "from_day")


def version(known: pl.DataFrame, clinic: Practice, *, begin: str, end: str | None, **said: pl.Expr) -> pl.DataFrame:
    """The exported rows that are valid from the day `begin` to the day `end`, if a night lies between."""
    until = pl.col(end) if end else pl.lit(FOREVER)
    return known.filter(pl.col(begin) < clinic.last, until >= clinic.nights[0]).select(
        episode_id=pl.lit("E") + (pl.col("episode") + 1).cast(pl.String).str.zfill(6),
        client_id="client_id",
        opened_on=day_text(pl.col("opened")),
        closed_on=day_text(said["day"]),
        closure=said["closure"],
        presenting_problem="presenting_problem",
        program="program",
        referral_source="referral_source",
        client="client",
        record=pl.col("episode").cast(pl.Int64),
        order=pl.col("episode").cast(pl.Int64),
        from_day=pl.col(begin).cast(pl.Int64),
        to_day=until.cast(pl.Int64),
    )


def day_text(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")


def dates(rng: np.random.Generator, episodes: pl.DataFrame) -> dict[str, pl.Series]:
    """The days of opening (at the referral) and of closing. A dropout is closed one or two months later."""
    count = episodes.height
    closure, last = episodes["closure"].to_numpy(), episodes["last"].to_numpy()
    lag = np.where(closure == course.DROPOUT, rng.integers(30, 61, count), rng.integers(3, 13, count))
    opened = episodes["start"].to_numpy() - rng.integers(0, 8, count)
    return {"opened": pl.Series(opened), "closed": pl.Series(last + lag)}


def words(rng: np.random.Generator, count: int) -> dict[str, pl.Series]:
    return {
        "presenting_problem": pl.Series(rng.choice(PROBLEMS, count, p=(0.34, 0.36, 0.22, 0.08))),
        "program": pl.Series(rng.choice(PROGRAMS, count, p=(0.5, 0.2, 0.2, 0.1))),
        "referral_source": pl.Series(rng.choice(REFERRALS, count, p=(0.15, 0.3, 0.25, 0.2, 0.1))),
    }


def planted(clinic: Practice, real: pl.DataFrame) -> list[pl.DataFrame]:
    """The spoiled records. They stay in every later file, so their number is limited over all nights."""
    rng = clinic.chance("spoiled episodes")
    parts, total = [], 0
    for turn, night in enumerate(clinic.nights):
        pool = valid(real, night)
        has_room = total + 1 <= LARGEST_SHARE * pool.height
        count = int(has_room) if turn else first_night_count(pool.height, WAYS)
        extra = plant(rng, as_text(pool, COLUMNS), WAYS, count, turn, key="episode_id", fresh=fresh_id)
        parts.append(extra.with_columns(from_day=pl.lit(night - 1, pl.Int64), to_day=pl.lit(FOREVER, pl.Int64)))
        total += extra.height
    return parts


def export(clinic: Practice, episodes: pl.DataFrame, clean: bool) -> Export:
    real = rows(clinic, episodes)
    parts = [unspoiled(real)] + ([] if clean else planted(clinic, real))
    lines = export_lines(parts, comma_separated(COLUMNS))
    return Export("episodes_%Y-%m-%d.csv", ",".join(COLUMNS), lines, is_whole=True)
