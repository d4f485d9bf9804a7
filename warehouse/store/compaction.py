"""Empty space in a warehouse file: DELETE and DROP leave bytes in it, which only a copy leaves behind."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rapport.warehouse.errors import Damaged
from rapport.warehouse.intake.ledger import told_of_load
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.load_facts import facts_of, for_encryption
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import kept_versions, replace_version, told_place
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

COMPACT_ABOVE = 1 - 1 / 1.3  # of the file: what is empty never makes it more than 1.3 times a fresh one
LEAST_BLOCKS = 256  # 64 MiB: of a smaller file nothing is worth the copy, and the next night fills what is empty


def should_be_compacted(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether so much of the open file is empty that a copy is worth it."""
    return _blocks(con)[0] >= LEAST_BLOCKS and empty_share(con) > COMPACT_ABOVE


def empty_share(con: duckdb.DuckDBPyConnection) -> float:
    """The share of the open file that holds nothing: free blocks, and rows that are deleted but still stored."""
    total, free = _blocks(con)
    stored = stored_rows(con)
    kept = sum(number(con, f"SELECT count(*) FROM {name}") for name in stored)
    dead = 1 - kept / max(sum(stored.values()), kept) if kept else float(any(stored.values()))
    return (free + (total - free) * dead) / total if total else 0.0


def _blocks(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """The open file's blocks, and how many of them are free."""
    sizes = "SELECT total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = current_database()"
    used, size = one_row(con, sizes)
    return used, size


def stored_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows that each table stores, the deleted among them: DuckDB's estimate of a table's size counts them all."""
    listed = "SELECT schema_name || '.' || table_name, estimated_size FROM duckdb_tables() WHERE NOT internal"
    return dict(con.sql(f"{listed} AND database_name = current_database() ORDER BY ALL").fetchall())


def copy_compactly(source: Path, to: Path, spill: Path | None = None) -> None:
    """Everything that `source` holds, with views, macros and comments, in a new file without empty space: encrypted
    with the key, or plain where there is none. What does not fit into memory is in the folder `spill`, by default that
    of `to`."""
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
    """Rewrite every kept file that is not encrypted as the key says; how many. The caller holds the lock. Raises
    Damaged that names the files that could not be read, when the others are rewritten."""
    written, left = 0, []
    with scratch_folder(where.building, "rekey") as scratch:
        for version in kept_versions(where.published):
            try:
                if not is_as_the_key_says(version):
                    rewrite(version, version, scratch)
                    written += 1
            except Damaged:
                left.append(told_place(version))
    if left:
        raise Damaged(
            f"{', '.join(left)} is damaged, so it could not be written again with the key; delete its folder, or "
            "bring the file back from a backup, then run this again"
        )
    return written


def try_opening(version: Path) -> None:
    """Open a kept file, plain or under either key, and close it. Raises RapportError where it does not open."""
    with open_memory(**NO_SPILL) as con:
        attach_as_it_is(con, version, "kept")


def rewrite(source: Path, version: Path, scratch: Path) -> None:
    """Put a compact copy of `source` in the place of a kept version: encrypted where there is a key."""
    facts = facts_of(version)
    made = scratch / "rewritten.duckdb"
    copy_compactly(source, made)
    if facts is not None:
        with open_file(made, read_only=True) as con:  # an erasure takes rows of the inbox too
            con.execute("SET TimeZone = 'UTC'")
            facts = for_encryption(facts | told_of_load(con), is_encrypted=encryption.key() is not None)
    replace_version(made, version, facts)


def compact(path: Path) -> None:
    """Rewrite a file that nobody has open."""
    fresh = path.with_name(f"{path.name}.fresh")
    copy_compactly(path, fresh)
    fresh.replace(path)
