"""Whom nobody may read in again: keyed hashes under a key of their own, in the private tree.

A tombstone is HMAC-SHA256(second key, the client's pseudonym). It says neither who is meant nor, without that key,
which pseudonym; with a day it stands for a consent withdrawn from that day on.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from warehouse.errors import Unusable
from warehouse.folders import Folders, replace_private

KEY_BYTES = 32
# The local day of a record; what has none is taken to lie after any day.
DAY_OF = {
    "appointments": pl.col("starts_local").dt.date(),
    "responses": pl.coalesce(pl.col("completed_on"), pl.col("completed_at").dt.date()),
    "episodes": pl.col("opened_on"),
}


@dataclass(frozen=True)
class Tombstones:
    """The tombstones of a warehouse: hash -> the first day that may not be read, or None for all days."""

    key: bytes
    days: Mapping[str, date | None]

    def of(self, pseudonym: str) -> str:
        return hmac.digest(self.key, pseudonym.encode(), "sha256").hex()

    def stands_for(self, pseudonym: str) -> bool:
        """Whether the person may not be read at all."""
        return self.days.get(self.of(pseudonym), date.max) is None

    def days_of(self, pseudonyms: Iterable[str]) -> list[date | None]:
        """The days of those of the pseudonyms that have a tombstone."""
        return [self.days[stone] for stone in map(self.of, pseudonyms) if stone in self.days]

    def without(self, kind: str, frame: pl.DataFrame) -> pl.DataFrame:
        """A reader's pseudonymous rows without those that may not be read."""
        if not self.days:
            return frame
        people = frame["client_id"].unique().drop_nulls()
        found = {person: self.days[stone] for person in people if (stone := self.of(person.hex())) in self.days}
        return without_people(kind, frame, found)


def without_people(kind: str, frame: pl.DataFrame, people: Mapping[object, date | None]) -> pl.DataFrame:
    """Rows without those of these clients, as their column client_id has them, from each one's day on (None: all)."""
    if not people:
        return frame
    since = pl.DataFrame(
        {"client_id": list(people), "is_dead": True, "since": list(people.values())},
        schema={"client_id": frame.schema["client_id"], "is_dead": pl.Boolean, "since": pl.Date},
    )
    told = frame.join(since, on="client_id", how="left", maintain_order="left")
    is_later = (DAY_OF[kind] >= pl.col("since")).fill_null(True) if kind in DAY_OF else pl.lit(False)
    gone = pl.col("is_dead") & (pl.col("since").is_null() | is_later)
    return told.filter(~gone.fill_null(False)).drop("is_dead", "since")


def read_tombstones(folders: Folders) -> Tombstones:
    """The tombstones; none before the first. Raises Unusable when their key is lost: erased people would come back."""
    if not folders.tombstones.exists():
        return Tombstones(b"", {})
    if not folders.tombstone_key.exists():
        raise Unusable("the key of the tombstones is lost; restore private/tombstone_key from its backup")
    lines = folders.tombstones.read_text(encoding="ascii").split()
    parts = (line.partition(",") for line in lines)
    return Tombstones(
        bytes.fromhex(folders.tombstone_key.read_text(encoding="ascii")),
        {stone: date.fromisoformat(day) if day else None for stone, _, day in parts},
    )


def set_tombstone(folders: Folders, pseudonym: str, since: date | None) -> None:
    """Add a person's tombstone, or widen it: an earlier day wins, no day wins over all."""
    if not folders.tombstone_key.exists():
        replace_private(folders.tombstone_key, secrets.token_hex(KEY_BYTES))
    standing = read_tombstones(folders) if folders.tombstones.exists() else _first(folders)
    stone, days = standing.of(pseudonym), dict(standing.days)
    days[stone] = None if since is None or days.get(stone, since) is None else min(since, days.get(stone, since))
    lines = "".join(f"{each},{day or ''}\n" for each, day in sorted(days.items()))
    replace_private(folders.tombstones, lines)


def _first(folders: Folders) -> Tombstones:
    return Tombstones(bytes.fromhex(folders.tombstone_key.read_text(encoding="ascii")), {})
