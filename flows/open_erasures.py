"""Erasures that are not finished, in private/erasing.json: who is to be taken out, from before the first change on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from warehouse.errors import RapportError
from warehouse.folders import Folders, replace_private
from warehouse.private_files import private_text, unusable

_ANEW = (
    "it is not known who is still to be taken out: remove it, then forget everybody again who asked for it since the "
    "last receipt in private/receipts.jsonl"
)


@dataclass(frozen=True)
class Erasure:
    """Who is to be taken out (pseudonyms, hexadecimal), from which day on (None: whole), and when that was asked."""

    pseudonyms: tuple[str, ...]
    since: date | None
    begun_at: datetime


def open_erasures(folders: Folders) -> list[Erasure]:
    """Return the erasures that are not finished. Raises Unusable where erasing.json cannot be read."""
    text = private_text(folders.erasing, _ANEW)
    if text is None:
        return []
    try:
        return [
            Erasure(
                tuple(str(bytes.fromhex(each).hex()) for each in one["pseudonyms"]),
                date.fromisoformat(one["since"]) if one["since"] else None,
                datetime.fromisoformat(one["begun_at"]),
            )
            for one in json.loads(text)
        ]
    except (ValueError, KeyError, TypeError):
        raise unusable(folders.erasing, "is damaged", _ANEW) from None


def note(folders: Folders, erasures: Sequence[Erasure]) -> None:
    """Write down the erasures that are open."""
    noted = [
        {
            "pseudonyms": each.pseudonyms,
            "since": each.since and each.since.isoformat(),
            "begun_at": each.begun_at.isoformat(),
        }
        for each in erasures
    ]
    replace_private(folders.erasing, json.dumps(noted) + "\n")


def tell_open(folders: Folders, said: RapportError | None = None) -> None:
    """Say on standard error that an erasure is not finished, to a user who may read the private tree. What a command
    has said before is not said again."""
    try:
        erasures = open_erasures(folders)
    except OSError:  # not this user's to read, or no warehouse: the command has said so
        return
    except RapportError as error:
        if said is None or said.told != error.told:
            print(error.told, file=sys.stderr)
        return
    for each in erasures:
        print(
            f"An erasure that was begun on {each.begun_at:%Y-%m-%d %H:%M} UTC is not finished: the person may still be "
            "in a kept file. Run the next night, or forget the person again.",
            file=sys.stderr,
        )
