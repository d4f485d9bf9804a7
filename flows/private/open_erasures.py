"""Unfinished erasures, in private/erasing.json. It names the people from before the first change on."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rapport.warehouse.errors import RapportError
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.places.folders import Folders, replace_private
from rapport.warehouse.places.private_files import private_text, unusable

_ANEW = (
    "so it is not known who is still to be taken out: remove it, then forget everybody again who asked for it since "
    "the last receipt in private/receipts.jsonl"
)


@dataclass(frozen=True)
class Erasure:
    """The people to take out (pseudonym, hexadecimal: the days), when it was begun, and the reason."""

    people: Mapping[str, ErasedDays]
    begun_at: datetime
    reason: str


def open_erasures(folders: Folders) -> list[Erasure]:
    """Return the erasures that are not finished. Raises Unusable where erasing.json cannot be read."""
    text = private_text(folders.erasing, _ANEW)
    if text is None:
        return []
    try:
        return [_read(one) for one in json.loads(text)]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise unusable(folders.erasing, "is damaged", _ANEW) from None


def _read(one: Mapping[str, Any]) -> Erasure:
    people = {bytes.fromhex(each).hex(): _days(*days) for each, days in one["people"].items()}
    return Erasure(people, datetime.fromisoformat(one["begun_at"]), str(one["reason"]))


def _days(since: str | None, until: str | None, by_load: int) -> ErasedDays:
    first, last = (date.fromisoformat(each) if each else None for each in (since, until))
    return ErasedDays(first, last, int(by_load))


def note(folders: Folders, erasures: Sequence[Erasure]) -> None:
    """Write the open erasures."""
    noted = [
        {
            "people": {person: _noted(days) for person, days in each.people.items()},
            "begun_at": each.begun_at.isoformat(),
            "reason": each.reason,
        }
        for each in erasures
    ]
    replace_private(folders.erasing, json.dumps(noted) + "\n")


def _noted(days: ErasedDays) -> list[object]:
    return [days.since and days.since.isoformat(), days.until and days.until.isoformat(), days.by_load]


def print_open(folders: Folders, said: RapportError | None = None) -> None:
    """Print on standard error that an erasure is not finished, for a user who may read the private tree. `said`: the
    error that the command has printed, which is not printed again."""
    try:
        erasures = open_erasures(folders)
    except OSError:  # this user may not read it, or there is no warehouse: the command has said so
        return
    except RapportError as error:
        if said is None or said.told != error.told:
            print(error.told, file=sys.stderr)
        return
    for each in erasures:
        print(
            f"An erasure that was begun on {each.begun_at:%Y-%m-%d %H:%M} UTC is not finished ({each.reason}): a kept "
            "file may still hold these people. Run the next night.",
            file=sys.stderr,
        )


def refuse_open(folders: Folders, uncleaned: Collection[str]) -> None:
    """Raise RapportError where an erasure is not finished after a load that tried it. `uncleaned`: the kept files that
    the load could not open."""
    if uncleaned:
        raise RapportError(
            f"nobody can be taken out of {', '.join(uncleaned)}, which cannot be opened: delete its folder, then run "
            "the next night"
        )
    if open_erasures(folders):
        raise RapportError("an erasure is not finished; run the next night, which does the rest or says why not")
