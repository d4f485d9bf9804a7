"""Every DuckDB file is opened here: plain, or encrypted where there is a key (warehouse/store/encryption.py).

An encrypted file, and one to write to, is attached to a database in memory and used, so that bare names are its own.
DuckDB writes an encrypted one only with an extension loaded, which comes from a wheel: nothing is ever downloaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from rapport.warehouse.errors import Damaged, RapportError, Unusable
from rapport.warehouse.places.digests import is_as_written
from rapport.warehouse.places.versions import damaged
from rapport.warehouse.store import encryption
from rapport.warehouse.store.quoting import quoted

Setting = str | bool | int
Config = dict[str, Setting | float | list[str]]
NAME = "rapport"  # the name of an attached file in its connection
# The oldest DuckDB that reads plain files (encrypted files need 1.5). It has DICT_FSST, which compresses texts at three
# quarters of the cost. A file of an older DuckDB gets this version only where it is attached.
STORAGE = "v1.4.0"
# Data from a published file are never written to the disk, neither beside the file nor where others may read them.
NO_SPILL: dict[str, Setting] = {"temp_directory": ""}
_NOTHING_FETCHED: dict[str, Setting] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
# Parts of DuckDB's messages about damaged bytes. Some damage ends the process: so a file with a noted digest is
# compared with it before it is opened.
_DAMAGE = (
    *("orrupt", "checksum", "Could not read enough bytes", "Serialization Error", "deserialize"),
    *("with a mode that is not recognized", "Computed AES tag differs"),
)


def open_file(path: Path, *, read_only: bool = False, **config: Setting) -> duckdb.DuckDBPyConnection:
    """Open a warehouse file. Raises Damaged, and Unusable where its encryption does not match the key."""
    asked: Config = {**(NO_SPILL if read_only else {}), **config}
    if encryption.key() is None and read_only:
        return _opened(path, asked)
    return _used(_in_memory(asked), path, read_only)


def open_briefly(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse file quickly, to read one row: without threads, spilling or extension."""
    if encryption.key() is None:
        return _opened(path, {**NO_SPILL, "threads": 1})
    return _used(duckdb.connect(config={**_NOTHING_FETCHED, **NO_SPILL, "threads": 1}), path, True)


def open_plain(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a file that is never encrypted, such as the safe file. Raises Damaged."""
    if read_only:
        return _opened(path, {**NO_SPILL})
    try:
        return duckdb.connect(str(path), config={**NO_SPILL})
    except duckdb.Error as error:
        raise _why(path, error) from None


def open_memory(**config: Setting) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, to attach files to. Data that it spills to disk are encrypted where there is a key."""
    return _in_memory({**config})


def _in_memory(config: Config) -> duckdb.DuckDBPyConnection:
    if encryption.key() is None:
        return duckdb.connect(config=config)
    con = duckdb.connect(config={**_NOTHING_FETCHED, **config})
    con.execute(f"LOAD {quoted(_extension())}")
    con.execute("SET temp_file_encryption = true")
    return con


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool = False) -> None:
    """Attach a warehouse file to a connection. Raises the errors of `open_file`."""
    _attach(con, path, name, read_only, encryption.key())


def attach_as_it_is(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a kept file to rewrite it, plain or with either key. Raises Unusable where neither opens it."""
    keys = [encryption.key(), encryption.key_before()] if encryption.is_encrypted(path) else []
    first, *others = [each for each in keys if each] or (None,)
    try:
        _attach(con, path, name, True, first)
    except Unusable:
        if not others:
            raise
        _attach(con, path, name, True, others[0])


def is_as_the_key_says(path: Path) -> bool:
    """Return whether a file's encryption matches: encrypted with the key, or plain where there is no key."""
    if encryption.is_encrypted(path) != bool(encryption.key()):
        return False
    if encryption.key_before() is None:
        return True
    try:
        open_briefly(path).close()
    except Unusable:
        return False
    return True


def _opened(path: Path, config: Config) -> duckdb.DuckDBPyConnection:
    with _to_be_read(path) as file:
        try:
            return duckdb.connect(str(file), read_only=True, config=config)
        except duckdb.Error as error:
            raise _why(path, error) from None


@contextmanager
def _to_be_read(path: Path) -> Iterator[Path]:
    """Yield the path to read: the file, or a short-lived copy where a write-ahead log lies beside the file. DuckDB
    would read the log too, which was never published. Raises Damaged."""
    kept = path.resolve()
    if path.is_file() and not is_as_written(kept):
        raise damaged(path)
    if not os.path.lexists(f"{kept}.wal"):
        yield path
        return
    with TemporaryDirectory(prefix="rapport-") as folder:
        yield Path(shutil.copyfile(kept, Path(folder, kept.name)))


def _why(path: Path, error: duckdb.Error) -> RapportError | duckdb.Error:
    """Return the error for a file that does not open: wrong key, no right to read it, or damaged bytes."""
    if wrong := encryption.why_not_opened(path, str(error)):
        return wrong
    if path.is_file() and os.access(path, os.R_OK) and not _is_held(error):
        return damaged(path)
    if path.exists() and not os.access(path, os.R_OK):
        return Unusable(f"{path} may not be read by this user; run this as a user who may read {path.parent}")
    return error


def _is_held(error: duckdb.Error) -> bool:
    return "lock on file" in str(error)


@contextmanager
def damage_of(version: Path) -> Iterator[None]:
    """Turn DuckDB's errors about damaged bytes into errors that name the version with the damage."""
    try:
        yield
    except (duckdb.Error, Damaged) as error:
        raise named(error, version) from None


def named(error: Exception, version: Path) -> Exception:
    """Return an error that names the version, where the error is about damaged bytes and names no other version."""
    is_of_a_copy = isinstance(error, Damaged) and (error.file is None or "versions" not in error.file.parts)
    return damaged(version) if is_of_a_copy or is_damage(error) else error


def is_damage(error: BaseException) -> bool:
    """Return whether an error is DuckDB's message about damaged bytes."""
    said = str(error)
    return isinstance(error, duckdb.Error) and any(words in said for words in _DAMAGE)


def _used(con: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        attach(con, path, NAME, read_only=read_only)
        con.execute(f"USE {NAME}")
    except Exception:
        con.close()
        raise
    return con


def _attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, read_only: bool, key: str | None) -> None:
    options = [*(["READ_ONLY"] if read_only else []), *(["ENCRYPTION_KEY $key"] if key else [])]
    options = options or [f"STORAGE_VERSION '{STORAGE}'"]
    with _to_be_read(path) if read_only else nullcontext(path) as file:
        statement = f"ATTACH {quoted(file)} AS {name} ({', '.join(options)})"
        try:
            con.execute(statement, {"key": key} if key else None)
        except duckdb.Error as error:
            raise _why(path, error) from None


def _extension() -> Path:
    packaged = Path(str(files("duckdb_extension_httpfs")))
    return packaged / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
