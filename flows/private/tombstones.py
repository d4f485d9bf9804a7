"""Whom nobody may read in again: keyed hashes under a key of their own, in the private tree.

A tombstone is HMAC-SHA256(second key, the client's pseudonym). It says neither who is meant nor, without that key,
which pseudonym. Behind it stand the days that it is for: `since` (a consent withdrawn from that day on), `until` (kept
for its years, up to that day) and the load that took those out; none of them where it stands for all days. The file's
first line is a keyed hash of the others: a line that is lost, or a key that is damaged, would bring a person back in
silence.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import polars as pl

from rapport.warehouse.errors import Unusable
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.places.folders import Folders, replace_private
from rapport.warehouse.places.private_files import private_text

Name = TypeVar("Name", str, bytes)  # of a client: a number, or a pseudonym
KEY_BYTES = 32
FROM_BACKUP = "restore private/tombstones and private/tombstone_key from their backup, or erased people would come back"
_CHECK = "check-"  # before the hash of the other lines; files of 0.1 have none
_DAY = r"\d{4}-\d{2}-\d{2}"
_LINE = re.compile(rf"([0-9a-f]{{64}}),({_DAY})?(?:,({_DAY}),(\d+))?")
# The local day of a record. warehouse/history/person_rows.py has the same for kept records.
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
        """Return the days of a person that may not be read; None for a person without a tombstone."""
        return self.days.get(self.of(pseudonym)) if self.days else None

    def among(self, people: Iterable[str]) -> dict[str, ErasedDays]:
        """Return the people (pseudonyms, hexadecimal) with a tombstone, each with its days."""
        return {person: days for person in people if (days := self.days_of(person))}

    def requested_days(self, pseudonym: str) -> ErasedDays | None:
        """Return the days that may not be read because of a request, and not because of their age."""
        days = self.days_of(pseudonym)
        return days.requested_only if days else None

    def widened(self, people: Mapping[str, ErasedDays]) -> Tombstones:
        """Return these tombstones, with more days of some people."""
        added = {self.of(person): days for person, days in people.items()}
        known = {stone: days.and_also(self.days.get(stone, days)) for stone, days in added.items()}
        return Tombstones(self.key, {**self.days, **known})

    def without(self, kind: str, frame: pl.DataFrame) -> pl.DataFrame:
        """A reader's pseudonymous rows without the rows that may not be read. Rows without a day stay where the
        person's later days may be read; `leave_out_undated` decides about them."""
        if not self.days:
            return frame
        for column in ("client_id", "rater_id"):
            if column in frame.columns:
                found = self.among(person.hex() for person in frame[column].unique().drop_nulls())
                people = {bytes.fromhex(person): days for person, days in found.items()}
                frame = without_people(kind, frame, people, column)
        return frame


def without_people(
    kind: str, frame: pl.DataFrame, people: Mapping[Name, ErasedDays], column: str = "client_id"
) -> pl.DataFrame:
    """The rows without these days of these people, whose names are those of the column."""
    if not people:
        return frame
    rows = [(each, days.is_everything, days.since, days.until) for each, days in people.items()]
    named = pl.DataFrame(rows, {column: frame.schema[column], **_DAYS}, orient="row")
    marked = frame.join(named, on=column, how="left", maintain_order="left")
    return marked.filter(~_is_forbidden(kind).fill_null(False)).drop(list(_DAYS))


_DAYS = {"is_dead": pl.Boolean, "since": pl.Date, "until": pl.Date}


def _is_forbidden(kind: str) -> pl.Expr:
    if kind not in DAY_OF:
        return pl.col("is_dead")
    is_later = pl.col("since").is_not_null() & (DAY_OF[kind] >= pl.col("since")).fill_null(True)
    return pl.col("is_dead") | is_later | (DAY_OF[kind] <= pl.col("until")).fill_null(False)


def read_tombstones(folders: Folders) -> Tombstones:
    """The tombstones; empty before the first. Raises Unusable when they or their key are lost or damaged: erased people
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


def _tombstone(line: str) -> tuple[str, ErasedDays]:
    """A line's hash and its days. Raises ValueError."""
    if (parts := _LINE.fullmatch(line)) is None:
        raise ValueError
    since, until = (date.fromisoformat(each) if each else None for each in parts.group(2, 3))
    return parts[1], ErasedDays(since, until, int(parts[4] or 0))


def _check(key: bytes, lines: list[str]) -> str:
    """The first line of the file. It shows a change of the other lines, or of the key."""
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


def set_tombstones(folders: Folders, people: Mapping[str, ErasedDays]) -> None:
    """Add people's tombstones, or widen them: a day that one of two forbids is forbidden."""
    if not folders.tombstones.exists() and not folders.tombstone_key.exists():
        replace_private(folders.tombstone_key, secrets.token_hex(KEY_BYTES))
    standing = Tombstones(_key(folders), read_tombstones(folders).days)
    lines = [_line(*each) for each in sorted(standing.widened(people).days.items())]
    replace_private(folders.tombstones, "\n".join([_check(standing.key, lines), *lines, ""]))


def _line(stone: str, days: ErasedDays) -> str:
    kept = f",{days.until},{days.by_load}" if days.until else ""
    return f"{stone},{days.since or ''}{kept}"
