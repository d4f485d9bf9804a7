"""The first step of a load: yesterday's file, the key, the crosswalk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from rapport.flows.private.aliases import aliases_of, held_by_every_text
from rapport.flows.private.crosswalk import birth_dates, crosswalk_of, crosswalk_restored
from rapport.flows.private.erasure import set_open_tombstones, take_out
from rapport.flows.private.key import read_key
from rapport.flows.private.tombstones import read_tombstones
from rapport.flows.steps.settle_spaces import settle_spaces
from rapport.flows.workbench import Load, Workbench
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.errors import Unusable
from rapport.warehouse.intake import staged_rows
from rapport.warehouse.places.attempts import failed_attempts, unreadable_attempts
from rapport.warehouse.places.folders import Folders, copy_to
from rapport.warehouse.places.versions import current_load, load_of
from rapport.warehouse.store import building_file, seal

if TYPE_CHECKING:
    import duckdb


def begin(load: Load) -> Workbench:
    """Copy the base to a building file, read the key and the crosswalk, and take out people with a tombstone.

    A load that is no night has the clock of its base. The order may have an older clock: an interrupted night may have
    published since it was placed."""
    order, folders = load.order, load.order.folders
    if not order.is_check:
        set_open_tombstones(folders)
    pseudonyms = Pseudonyms(read_key(folders), order.clinic.client_links, order.clinic.spaces)
    tombstones = read_tombstones(folders)
    attempts, unreadable = failed_attempts(folders), _unreadable_attempts(folders)
    known, crosswalk, damaged = _read_crosswalk(load)
    con = _open_building(load)
    key_check, used = refuse_other_key(con, pseudonyms), settle_spaces(con, order, crosswalk, load.load_id)
    pseudonyms = pseudonyms.with_aliases(aliases_of(order.clinic, crosswalk, con, pseudonyms))
    tombstones = held_by_every_text(order, crosswalk, pseudonyms, tombstones)
    if load.purpose != "night":
        order = replace(order, as_of=seal.as_of(con))
    return Workbench(
        load_id=load.load_id,
        order=order,
        con=con,
        crosswalk=crosswalk,
        progress=load.progress,
        run=load.run,
        load=load,
        staging=staged_rows.Staging(con),
        pseudonyms=pseudonyms,
        tombstones=tombstones,
        born_before=birth_dates(known),
        key_check=key_check,
        spaces_used=used,
        taken_out=take_out(con, order, tombstones),
        failed_attempts=tuple(attempts),
        damaged=(*unreadable, *damaged),
    )


def _open_building(load: Load) -> duckdb.DuckDBPyConnection:
    if load.base:
        copy_to(load.base, load.building)
    con = building_file.open_building(load.building, load.scratch)
    load.connections.append(con)
    return con


def _read_crosswalk(load: Load) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """The crosswalk of the base, the crosswalk that the load continues, and a sentence where the second is incomplete.
    They differ when an older version is restored."""
    where, base = load.order.folders, load.base
    current = current_load(where.published)
    known = crosswalk_of(where, load_of(base) if base else current)
    if load.purpose != "restore":
        return known, known, []
    crosswalk, is_whole = crosswalk_restored(where, known, current)
    lost = (
        f"the crosswalk of load {current} is damaged or missing: people who are only in it are known again when an "
        "export names them"
    )
    return known, crosswalk, [] if is_whole else [lost]


def _unreadable_attempts(folders: Folders) -> list[str]:
    if not (count := unreadable_attempts(folders)):
        return []
    return [
        f"{count} lines of private/attempts.jsonl cannot be read, so nights that failed may be missing from the books; "
        "the night makes a new file"
    ]


def refuse_other_key(con: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms) -> str:
    """Return the mark of the key. Raises Unusable where a file was made with another one."""
    mark = pseudonyms.keyed("rapport", "key check", "the same key every night")
    if seal.key_check_of(con) not in (None, mark):
        raise Unusable(
            "the pseudonym key is not the one this warehouse was made with; restore the old key "
            "(RAPPORT_KEY or private/key), or give an empty --warehouse"
        )
    return mark
