"""The beginning of a night: yesterday's file, the key, the crosswalk."""

from __future__ import annotations

import os
from pathlib import Path

from flows.crosswalk import open_crosswalk
from flows.key import read_key
from flows.order import Tonight
from flows.tombstones import read_tombstones
from transforms.pseudonyms import Pseudonyms
from warehouse import building, folders, publishing, staging
from warehouse.attempts import failed_attempts
from warehouse.errors import Unusable


def begin(tonight: Tonight, base: Path | None = None) -> None:
    """Yesterday's file (or another version, `base`) copied to a building file; the key; the crosswalk."""
    order = tonight.order
    order.folders.sweep()
    tonight.pseudonyms = Pseudonyms(read_key(order.folders), order.clinic.client_links)
    tonight.tombstones = read_tombstones(order.folders)
    tonight.failed_attempts = failed_attempts(order.folders)
    tonight.building = folders.copy_version(order.folders, base or order.folders.published, os.getpid())
    tonight.con = building.open_building(tonight.building, order.folders.building)
    tonight.staging = staging.Staging(tonight.con)
    _same_key_as_yesterday(tonight)
    tonight.crosswalk = open_crosswalk(order.folders.crosswalk)


def _same_key_as_yesterday(tonight: Tonight) -> None:
    tonight.key_check = tonight.pseudonyms.one("rapport", "key check", "the same key every night")
    if publishing.key_check_of(tonight.con) not in (None, tonight.key_check):
        raise Unusable(
            "the pseudonym key is not the one this warehouse was made with; restore the old key "
            "(RAPPORT_KEY or private/key), or give an empty --warehouse"
        )
