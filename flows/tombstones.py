"""Whom nobody may read in again: keyed hashes under a key of their own, in the private tree.

A tombstone is HMAC-SHA256(second key, the client's pseudonym). It says neither who is meant nor, without that key,
which pseudonym. Behind it stand the days that it is for: `since` (a consent withdrawn from that day on), `until` (kept
for its years, up to that day) and the load that took those out; none of them where it stands for all days.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from warehouse.erased_days import ErasedDays
from warehouse.errors import Unusable
from warehouse.folders import Folders, replace_private

KEY_BYTES = 32
# The local day of a record: warehouse/person_rows.py reads the same of what is kept.
DAY_OF = {
    "appointments": pl.col("starts_local").dt.date(),
    "responses": pl.coalesce(pl.col("completed_on"), pl.col("completed_at").dt.date()),
    "episodes": pl.col("opened_on"),
}


@dataclass(frozen=True)
class Tombstones:
    """The tombstones of a warehouse: hash -> the days that may not be read."""

    key: bytes
    days: Mapping[str, ErasedDays]

    def of(self, pseudonym: str) -> str:
        return hmac.digest(self.key, pseudonym.encode(), "sha256").hex()

    def days_of(self, pseudonym: str) -> ErasedDays | None:
        """Return the days of a person that may not be read; None for somebody who has no tombstone."""
        return self.days.get(self.of(pseudonym)) if self.days else None

    def among(self, people: Iterable[str]) -> dict[str, ErasedDays]:
        """Return those people (pseudonyms, hexadecimal) who have a tombstone, with its days."""
        return {person: days for person in people if (days := self.days_of(person))}

    def asked_of(self, pseudonym: str) -> ErasedDays | None:
        """Return the days that may not be read because the person asked for it, and not because of their age."""
        days = self.days_of(pseudonym)
        return days.asked_for if days else None

    def widened(self, people: Mapping[str, ErasedDays]) -> Tombstones:
        """Return these with the days of some people added to theirs."""
        added = {self.of(person): days for person, days in people.items()}
        known = {stone: days.and_also(self.days.get(stone, days)) for stone, days in added.items()}
        return Tombstones(self.key, {**self.days, **known})

    def without(self, kind: str, frame: pl.DataFrame) -> pl.DataFrame:
        """A reader's pseudonymous rows without those that may not be read. What has no day is in it where a person's
        later days may be read: `leave_out_undated` is for those."""
        if not self.days:
            return frame
        found = self.among(person.hex() for person in frame["client_id"].unique().drop_nulls())
        return without_people(kind, frame, {bytes.fromhex(person): days for person, days in found.items()})


def without_people(kind: str, frame: pl.DataFrame, people: Mapping[object, ErasedDays]) -> pl.DataFrame:
    """Rows without those of these days of these clients, who are named as the rows' column client_id names them."""
    if not people:
        return frame
    rows = [(each, days.is_everything, days.since, days.until) for each, days in people.items()]
    named = pl.DataFrame(rows, {"client_id": frame.schema["client_id"], **_DAYS}, orient="row")
    told = frame.join(named, on="client_id", how="left", maintain_order="left")
    return told.filter(~_is_forbidden(kind).fill_null(False)).drop(list(_DAYS))


_DAYS = {"is_dead": pl.Boolean, "since": pl.Date, "until": pl.Date}


def _is_forbidden(kind: str) -> pl.Expr:
    if kind not in DAY_OF:
        return pl.col("is_dead")
    is_later = pl.col("since").is_not_null() & (DAY_OF[kind] >= pl.col("since")).fill_null(True)
    return pl.col("is_dead") | is_later | (DAY_OF[kind] <= pl.col("until")).fill_null(False)


def read_tombstones(folders: Folders) -> Tombstones:
    """The tombstones; none before the first. Raises Unusable when their key is lost: erased people would come back."""
    if not folders.tombstones.exists():
        return Tombstones(b"", {})
    if not folders.tombstone_key.exists():
        raise Unusable("the key of the tombstones is lost; restore private/tombstone_key from its backup")
    lines = folders.tombstones.read_text(encoding="ascii").split()
    return Tombstones(_key(folders), dict(map(_read, lines)))


def _key(folders: Folders) -> bytes:
    return bytes.fromhex(folders.tombstone_key.read_text(encoding="ascii"))


def _read(line: str) -> tuple[str, ErasedDays]:
    stone, since, until, by_load, *_ = f"{line},,,".split(",")  # until 0.1 a line ended with `since`
    days = (date.fromisoformat(each) if each else None for each in (since, until))
    return stone, ErasedDays(*days, int(by_load or 0))


def set_tombstones(folders: Folders, people: Mapping[str, ErasedDays]) -> None:
    """Add people's tombstones, or widen them: what one of two forbids is forbidden."""
    if not folders.tombstone_key.exists():
        replace_private(folders.tombstone_key, secrets.token_hex(KEY_BYTES))
    standing = read_tombstones(folders) if folders.tombstones.exists() else Tombstones(_key(folders), {})
    lines = (_line(*each) for each in sorted(standing.widened(people).days.items()))
    replace_private(folders.tombstones, "".join(lines))


def _line(stone: str, days: ErasedDays) -> str:
    kept = f",{days.until},{days.by_load}" if days.until else ""
    return f"{stone},{days.since or ''}{kept}\n"
