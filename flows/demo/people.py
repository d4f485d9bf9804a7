"""The clients and therapists of the demo practice: children, teenagers and young adults, all invented."""

from dataclasses import dataclass
from datetime import date
from zlib import crc32

import numpy as np
import polars as pl

CLIENTS_PER_THERAPIST = 20  # new clients in a year
AGE_BANDS = ((6, 13), (13, 18), (18, 25))  # child, teenager, young adult in years; without the upper bound
AGE_SHARES = (0.38, 0.37, 0.25)
WEEKLY_HOURS = 55  # weekdays, on the hour from 8:00 to 18:00
FIRST_NAMES = ("Avery", "Blake", "Carmen", "Devon", "Emery", "Frankie", "Gale", "Harper", "Imani", "Jules")
LAST_NAMES = ("Abernathy", "Bystrom", "Castellane", "Dunmore", "Eastwick", "Fairbourne", "Gladwell", "Hollis")
NOTES = (
    "",
    "{first} prefers the late afternoon",
    "Call the mother, Ms. {last}, before changing anything",
    'Likes to be called "{first}", not by the surname',
    "Shares the week between two homes\nsecond phone 555-0142",
)


@dataclass(frozen=True)
class Practice:
    """The settings of the simulator. Days are counted from 1970-01-01."""

    seed: int
    clients: int
    nights: tuple[int, ...]
    years: int = 2  # the years in which the clients come

    @property
    def last(self) -> int:
        return self.nights[-1]

    def chance(self, purpose: str) -> np.random.Generator:
        """A random generator per purpose, so that planted defects do not change the people."""
        return np.random.default_rng([self.seed, crc32(purpose.encode())])


def practice(seed: int, clients: int, nights: int, until: date, years: int = 2) -> Practice:
    """A practice whose last file has the date `until`."""
    last = (until - date(1970, 1, 1)).days
    return Practice(seed, clients, tuple(range(last - nights + 1, last + 1)), years)


def therapist_count(clinic: Practice) -> int:
    return max(2, clinic.clients // (CLIENTS_PER_THERAPIST * clinic.years))


def therapist_ids(numbers: pl.Expr) -> pl.Expr:
    return pl.lit("T") + (numbers + 1).cast(pl.String).str.zfill(3)


def people(clinic: Practice) -> pl.DataFrame:
    """One row per client, in the order in which they came to the practice."""
    rng = clinic.chance("people")
    frame = pl.DataFrame(
        {"client": np.arange(clinic.clients)} | seats(rng, clinic) | lives(rng, clinic) | names(rng, clinic)
    )
    weekday = (pl.col("came") + 3) % 7  # 1970-01-01 was a Thursday
    frame = frame.with_columns(start=pl.col("came") + (pl.col("weekday") - weekday) % 7)
    return frame.with_columns(client_id=client_ids(), birth=pl.col("start") - pl.col("age_days"))


def client_ids() -> pl.Expr:
    """Client numbers as text with leading zeros; those of the north site begin with its letter."""
    number = (pl.col("client") + 1).cast(pl.String).str.zfill(5)
    return pl.when(pl.col("site") == "north").then(pl.lit("N-") + number).otherwise(number)


def seats(rng: np.random.Generator, clinic: Practice) -> dict[str, np.ndarray]:
    """Each client's therapist and weekly hour. Two clients of a therapist share an hour only when the week is full."""
    therapist = rng.integers(0, therapist_count(clinic), clinic.clients)
    order = np.argsort(therapist, kind="stable")
    first = np.searchsorted(therapist[order], therapist)
    rank = np.empty(clinic.clients, dtype=np.int64)
    rank[order] = np.arange(clinic.clients)
    hour = ((rank - first) * 17 + therapist * 7) % WEEKLY_HOURS
    lead = rng.integers(8, 15, clinic.clients)  # days between booking and appointment
    return {"therapist": therapist, "weekday": hour % 5, "hour": 8 + hour // 5, "lead": lead}


def lives(rng: np.random.Generator, clinic: Practice) -> dict[str, np.ndarray]:
    """The clients' first days, ages, sexes, sites and modalities."""
    came = np.sort(rng.integers(clinic.nights[0] - 365 * clinic.years, clinic.last, clinic.clients))
    low, high = np.array(AGE_BANDS)[rng.choice(3, clinic.clients, p=AGE_SHARES)].T
    years = low + rng.random(clinic.clients) * (high - low)
    return {
        "came": came,
        "age_days": (years * 365.25).astype(np.int64) + 1,
        "sex": rng.choice([1, 2, 3], clinic.clients, p=(0.55, 0.42, 0.03)),
        "site": np.where(rng.random(clinic.clients) < 0.4, "north", "south"),
        "modality": rng.choice(["in_person", "video", "phone"], clinic.clients, p=(0.72, 0.25, 0.03)),
        "has_given_episode": rng.random(clinic.clients) < 0.9,
    }


def names(rng: np.random.Generator, clinic: Practice) -> dict[str, pl.Series]:
    """Names, e-mail addresses and notes, as a test: no reader may let them pass."""
    drawn = {
        name: pl.Series(rng.choice(words, clinic.clients))
        for name, words in (("first", FIRST_NAMES), ("last", LAST_NAMES), ("notes", NOTES))
    }
    number = pl.int_range(pl.len()).cast(pl.String)
    mail = pl.concat_str("first", pl.lit("."), "last", number, pl.lit("@example.com")).str.to_lowercase()
    notes = pl.col("notes").str.replace("{first}", pl.col("first"), literal=True)
    frame = pl.DataFrame(drawn).with_columns(
        email=mail, notes=notes.str.replace("{last}", pl.col("last"), literal=True)
    )
    return frame.rename({"first": "first_name", "last": "last_name"}).to_dict()
