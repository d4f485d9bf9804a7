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
NAME = "rapport"  # of an attached file among the databases of its connection
# What plain files are written for, and any newer DuckDB (encrypted ones are for 1.5). It has DICT_FSST, which packs
# texts at three quarters of the cost; only an attached file is taken to it when an older DuckDB began it.
STORAGE = "v1.4.0"
# What is read from a published file does not go to the disk: not beside the file, and not where others may read it.
NO_SPILL: dict[str, Setting] = {"temp_directory": ""}
_NOTHING_FETCHED: dict[str, Setting] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
# What DuckDB says of bytes that it did not write. Where a block stands in another's place it may end the process: so
# a file whose digest is noted is looked at before it is opened.
_DAMAGE = (
    *("orrupt", "checksum", "Could not read enough bytes", "Serialization Error", "deserialize"),
    *("with a mode that is not recognized", "Computed AES tag differs"),
)


def open_file(path: Path, *, read_only: bool = False, **config: Setting) -> duckdb.DuckDBPyConnection:
    """A warehouse file. Raises Unusable when it is encrypted otherwise than the key says; Damaged."""
    asked: Config = {**(NO_SPILL if read_only else {}), **config}
    if encryption.key() is None and read_only:
        return _opened(path, asked)
    return _used(_in_memory(asked), path, read_only)


def open_briefly(path: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse file to read a row from it, in as little time as possible: without threads, spilling or extension."""
    if encryption.key() is None:
        return _opened(path, {**NO_SPILL, "threads": 1})
    return _used(duckdb.connect(config={**_NOTHING_FETCHED, **NO_SPILL, "threads": 1}), path, True)


def open_plain(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A file that is never encrypted: the safe file. Raises Damaged."""
    if read_only:
        return _opened(path, {**NO_SPILL})
    try:
        return duckdb.connect(str(path), config={**NO_SPILL})
    except duckdb.Error as error:
        raise _why(path, error) from None


def open_memory(**config: Setting) -> duckdb.DuckDBPyConnection:
    """A database in memory, to attach files to. What it spills to disk is encrypted where there is a key."""
    return _in_memory({**config})


def _in_memory(config: Config) -> duckdb.DuckDBPyConnection:
    if encryption.key() is None:
        return duckdb.connect(config=config)
    con = duckdb.connect(config={**_NOTHING_FETCHED, **config})
    con.execute(f"LOAD {quoted(_extension())}")
    con.execute("SET temp_file_encryption = true")
    return con


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool = False) -> None:
    """A warehouse file beside others. Raises Unusable as `open_file` does."""
    _attach(con, path, name, read_only, encryption.key())


def attach_as_it_is(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """A kept file to be rewritten, plain or under either key. Raises Unusable when neither opens it."""
    keys = [encryption.key(), encryption.key_before()] if encryption.is_encrypted(path) else []
    first, *others = [each for each in keys if each] or (None,)
    try:
        _attach(con, path, name, True, first)
    except Unusable:
        if not others:
            raise
        _attach(con, path, name, True, others[0])


def is_as_the_key_says(path: Path) -> bool:
    """Whether a file is encrypted with the key, or plain where there is none."""
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
    """The file; a copy for a moment where a write-ahead log lies beside it, for DuckDB would take in what stands there,
    and that was never published. Raises Damaged."""
    kept = path.resolve()
    if path.is_file() and not is_as_written(kept):
        raise damaged(path)
    if not os.path.lexists(f"{kept}.wal"):
        yield path
        return
    with TemporaryDirectory(prefix="rapport-") as folder:
        yield Path(shutil.copyfile(kept, Path(folder, kept.name)))


def _why(path: Path, error: duckdb.Error) -> RapportError | duckdb.Error:
    """Why a file does not open: its key, who may read it, or its bytes."""
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
    """Let what DuckDB says of damaged bytes name the version that they come from, or were copied from."""
    try:
        yield
    except (duckdb.Error, Damaged) as error:
        raise named(error, version) from None


def named(error: Exception, version: Path) -> Exception:
    """Return an error that names the version, where it is about damaged bytes and names no other version."""
    is_of_a_copy = isinstance(error, Damaged) and (error.file is None or "versions" not in error.file.parts)
    return damaged(version) if is_of_a_copy or is_damage(error) else error


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says that the bytes of an open file are not those that it once wrote."""
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
