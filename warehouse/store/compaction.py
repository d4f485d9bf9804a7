"""Empty space in a warehouse file. DELETE and DROP leave the bytes in the file; only a copy is free of them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rapport.warehouse.errors import Damaged
from rapport.warehouse.intake.ledger import facts_of_load
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.load_facts import facts_of, for_encryption
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import kept_versions, replace_version, tree_path
from rapport.warehouse.store import encryption
from rapport.warehouse.store.building_file import LIMITS
from rapport.warehouse.store.one_row import number, one_row
from rapport.warehouse.store.opening import (
    NO_SPILL,
    attach,
    attach_as_it_is,
    damage_of,
    is_as_the_key_says,
    open_file,
    open_memory,
)

COMPACT_ABOVE = 1 - 1 / 1.3  # share of the file: a file is never larger than 1.3 times a new copy
LEAST_BLOCKS = 256  # 64 MiB: a smaller file is not worth a copy, and the next night fills the empty space


def should_be_compacted(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether so much of the open file is empty that a copy is worth it."""
    return _blocks(con)[0] >= LEAST_BLOCKS and empty_share(con) > COMPACT_ABOVE


def empty_share(con: duckdb.DuckDBPyConnection) -> float:
    """Return the empty share of the open file: free blocks, and rows that are deleted but still stored."""
    total, free = _blocks(con)
    stored = stored_rows(con)
    kept = sum(number(con, f"SELECT count(*) FROM {name}") for name in stored)
    dead = 1 - kept / max(sum(stored.values()), kept) if kept else float(any(stored.values()))
    return (free + (total - free) * dead) / total if total else 0.0


def _blocks(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the numbers of the open file's blocks and free blocks."""
    sizes = "SELECT total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = current_database()"
    used, size = one_row(con, sizes)
    return used, size


def stored_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the stored rows of each table, deleted rows included: DuckDB's estimate of a table's size counts both."""
    listed = "SELECT schema_name || '.' || table_name, estimated_size FROM duckdb_tables() WHERE NOT internal"
    return dict(con.sql(f"{listed} AND database_name = current_database() ORDER BY ALL").fetchall())


def copy_compactly(source: Path, to: Path, spill: Path | None = None) -> None:
    """Copy all of `source`, with views, macros and comments, to a new file without empty space: encrypted with the key,
    or plain where there is no key. `spill`: the folder for data that do not fit into memory; by default that of `to`.
    """
    to.unlink(missing_ok=True)
    with damage_of(source), open_memory(**LIMITS | {"temp_directory": str(spill or to.parent)}) as con:
        con.execute("SET preserve_insertion_order = true")
        attach_as_it_is(con, source, "old")
        attach(con, to, "new")
        con.execute("COPY FROM DATABASE old TO new")
        con.execute("DETACH old")
        con.execute("CHECKPOINT new")
        con.execute("DETACH new")


def rekey(where: Folders) -> int:
    """Rewrite every kept file whose encryption does not match the key. Return their number. The caller holds the lock.
    Raises Damaged at the end, with the names of the files that could not be read."""
    written, left = 0, []
    with scratch_folder(where.building, "rekey") as scratch:
        for version in kept_versions(where.published):
            try:
                if not is_as_the_key_says(version):
                    rewrite(version, version, scratch)
                    written += 1
            except Damaged:
                left.append(tree_path(version))
    if left:
        raise Damaged(
            f"{', '.join(left)} is damaged and could not be written again with the key; delete its folder, or "
            "bring the file back from a backup, then run this again"
        )
    return written


def try_opening(version: Path) -> None:
    """Open a kept file, plain or with either key, and close it. Raises RapportError where it does not open."""
    with open_memory(**NO_SPILL) as con:
        attach_as_it_is(con, version, "kept")


def rewrite(source: Path, version: Path, scratch: Path) -> None:
    """Replace a kept version by a compact copy of `source`, encrypted where there is a key."""
    facts = facts_of(version)
    made = scratch / "rewritten.duckdb"
    copy_compactly(source, made)
    if facts is not None:
        with open_file(made, read_only=True) as con:  # an erasure removes quarantined rows too
            con.execute("SET TimeZone = 'UTC'")
            facts = for_encryption(facts | facts_of_load(con), is_encrypted=encryption.key() is not None)
    replace_version(made, version, facts)


def compact(path: Path) -> None:
    """Rewrite a file that nobody has open, without empty space."""
    fresh = path.with_name(f"{path.name}.fresh")
    copy_compactly(path, fresh)
    fresh.replace(path)
