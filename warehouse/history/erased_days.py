"""The days of a person whose records are erased and must not be read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class ErasedDays:
    """The days from `since` on (a consent was withdrawn), and the days up to and including `until` (the clinic's years
    of keeping are over). Without either: all days.

    A record without a day counts as later than `since`. With `until` it stays while the person has a later record. A
    quarantined row without a day, held back by a load after `by_load`, counts as such a later record.
    """

    since: date | None = None
    until: date | None = None
    by_load: int = 0

    @property
    def is_everything(self) -> bool:
        return self.since is None and self.until is None

    @property
    def requested_only(self) -> ErasedDays | None:
        """Return only the days that a request erases, without `until`; None where there are none."""
        if self.until is None:
            return self
        return ErasedDays(self.since) if self.since else None

    def and_also(self, other: ErasedDays) -> ErasedDays:
        """Return the days of both together."""
        if self.is_everything or other.is_everything:
            return EVERYTHING
        since = min(filter(None, (self.since, other.since)), default=None)
        until = max(filter(None, (self.until, other.until)), default=None)
        if since and until and since <= until + timedelta(days=1):
            return EVERYTHING
        return ErasedDays(since, until, max(self.by_load, other.by_load))


EVERYTHING = ErasedDays()
