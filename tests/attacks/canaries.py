"""Search all that a night leaves for words that must not be there: its bytes, and every text column, decoded."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

Found = set[tuple[str, Path]]


def search(folders: Iterable[Path], words: Iterable[str]) -> Found:
    """Which word is in which file: in its name, its bytes, or what a database in it says."""
    found = set()
    for path in files(folders):
        for text in (str(path), path.read_bytes().decode("utf-8", "replace"), *decoded(path)):
            found |= {(word, path) for word in words if word.lower() in text.lower()}
    return found


def files(folders: Iterable[Path]) -> list[Path]:
    return [
        path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()
    ]


def decoded(path: Path) -> Iterator[str]:
    """Every row of every table in a database file, as text: DuckDB compresses, so its bytes say nothing."""
    readers = {".duckdb": duckdb_rows, ".db": sqlite_rows, ".parquet": parquet_rows}
    yield from readers.get(path.suffix, lambda _: ())(path)


def duckdb_rows(path: Path) -> Iterator[str]:
    with duckdb.connect(str(path), read_only=True) as con:
        told = con.sql("FROM duckdb_columns() SELECT comment UNION ALL FROM duckdb_tables() SELECT comment").fetchall()
        yield from (text for (text,) in told if text)
        names = con.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        for schema, table in names:
            yield from texts(con, f'"{schema}"."{table}"')


def parquet_rows(path: Path) -> Iterator[str]:
    with duckdb.connect() as con:
        yield from texts(con, f"'{path}'")


def texts(con: duckdb.DuckDBPyConnection, relation: str) -> Iterator[str]:
    """Rows as text, lists and structs too."""
    for (text,) in con.sql(f"SELECT row::VARCHAR FROM {relation} AS row").fetchall():
        yield text


def sqlite_rows(path: Path) -> Iterator[str]:
    """A copy is read, with what a running server has not yet written into the file itself."""
    with tempfile.TemporaryDirectory() as folder:
        for part in path.parent.glob(f"{path.name}*"):
            shutil.copy(part, folder)
        con = sqlite3.connect(Path(folder) / path.name)
        con.text_factory = bytes
        for (table,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in con.execute(f'SELECT * FROM "{table.decode()}"'):
                yield " ".join(
                    cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in row
                )
        con.close()
