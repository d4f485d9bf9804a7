"""Whom nobody may read in again: keyed hashes under a key of their own, in the private tree.

A tombstone is HMAC-SHA256(second key, the client's pseudonym). It says neither who is meant nor, without that key,
which pseudonym; with a day it stands for a consent withdrawn from that day on. The file's first line is a keyed hash of
the others: a line that is lost, or a key that is damaged, would bring a person back in silence.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from warehouse.errors import Unusable
from warehouse.folders import Folders, replace_private
from warehouse.private_files import private_text

KEY_BYTES = 32
FROM_BACKUP = "restore private/tombstones and private/tombstone_key from their backup, or erased people would come back"
_CHECK = "check-"  # before the hash of the other lines; files of 0.1 have none
_LINE = re.compile(r"([0-9a-f]{64}),(\d{4}-\d{2}-\d{2})?")
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
    """The tombstones; none before the first. Raises Unusable when they or their key are lost or damaged: erased people
    would come back."""
    text = private_text(folders.tombstones, FROM_BACKUP)
    if text is None and folders.receipts.exists():
        raise Unusable(f"private/tombstones is lost, and there are receipts of erasures; {FROM_BACKUP}")
    return Tombstones(b"", {}) if text is None else _read(text, _key(folders))


def _read(text: str, key: bytes) -> Tombstones:
    first, *rest = text.split() or [""]
    lines = rest if first.startswith(_CHECK) else [first, *rest]
    try:
        if first.startswith(_CHECK) and first != _check(key, lines):
            raise ValueError
        return Tombstones(key, dict(map(_tombstone, lines)))
    except ValueError:
        raise Unusable(f"private/tombstones, or private/tombstone_key, is damaged; {FROM_BACKUP}") from None


def _tombstone(line: str) -> tuple[str, date | None]:
    """A line's hash and its day. Raises ValueError."""
    if (parts := _LINE.fullmatch(line)) is None:
        raise ValueError
    return parts[1], date.fromisoformat(parts[2]) if parts[2] else None


def _check(key: bytes, lines: list[str]) -> str:
    """The first line of the file: it says of the others, and of the key, that they are as they were written."""
    return f"{_CHECK}{hmac.digest(key, ' '.join(lines).encode(), 'sha256').hex()},"


def _key(folders: Folders) -> bytes:
    text = private_text(folders.tombstone_key, FROM_BACKUP)
    if text is None:
        raise Unusable("the key of the tombstones is lost; restore private/tombstone_key from its backup")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Unusable(f"private/tombstone_key is damaged; {FROM_BACKUP}")
    return key


def set_tombstone(folders: Folders, pseudonym: str, since: date | None) -> None:
    """Add a person's tombstone, or widen it: an earlier day wins, no day wins over all."""
    if not folders.tombstones.exists() and not folders.tombstone_key.exists():
        replace_private(folders.tombstone_key, secrets.token_hex(KEY_BYTES))
    standing = Tombstones(_key(folders), read_tombstones(folders).days)
    stone, days = standing.of(pseudonym), dict(standing.days)
    days[stone] = None if since is None or days.get(stone, since) is None else min(since, days.get(stone, since))
    lines = [f"{each},{day or ''}" for each, day in sorted(days.items())]
    replace_private(folders.tombstones, "\n".join([_check(standing.key, lines), *lines, ""]))
