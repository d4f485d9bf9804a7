"""The computed tables: polars only, frames in, a frame out. Every module here that declares tables is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Iterator, Mapping

import polars as pl

from rapport.transforms.frames.signless_zeros import without_sign
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.schema.tables import PARTIALS, Table, in_order

STATISTICS = (
    "scipy.stats",
    "statsmodels.discrete.discrete_model",
    "statsmodels.duration.survfunc",
    "statsmodels.stats.inter_rater",
    "statsmodels.stats.proportion",
)


def tables() -> list[Table]:
    """Return every table that is declared in this folder and its subfolders, each after the tables that it reads."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    found = {name: thing for module in modules for name, thing in vars(module).items() if isinstance(thing, Table)}
    return in_order(found.values())


def import_statistics() -> None:
    """Import the libraries that some tables otherwise import at their first computation: it takes seconds."""
    for library in STATISTICS:
        importlib.import_module(library)


def compute(table: Table, known: Mapping[str, object]) -> pl.DataFrame:
    """Return a table's rows, from the tables and facts that it reads, or from its partials and the facts where `known`
    has partials."""
    made = table.finished(known) if PARTIALS in known else table(**{name: known[name] for name in table.reads})
    return without_sign(made.select(table.column_names).collect())


def rows_of_clients(
    given: Mapping[str, pl.DataFrame], clinic: Clinic, wanted: Collection[str]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of the wanted tables about some clients, table by table. A pure function of its arguments.

    `given`: `client_ids`; `<kind>_records` of each kind; `birth_dates`; and these clients' rows of tables that are read
    and not wanted. A frame that no later table reads is dropped.
    """
    to_make = [table for table in tables() if table.per == "client" and table.name in wanted]
    known = still_read({name: frame.lazy() for name, frame in given.items()} | {"clinic": clinic}, to_make)
    del given
    for place, table in enumerate(to_make):
        made = compute(table, known)
        known = still_read({**known, table.name: made.lazy()}, to_make[place + 1 :])
        yield table.name, made


def still_read(known: Mapping[str, object], to_come: Iterable[Table]) -> dict[str, object]:
    """Return the known frames and facts that later tables read."""
    read = {name for table in to_come for name in table.read_at_once}
    return {name: each for name, each in known.items() if name in read}


def fingerprints(declared: Mapping[str, str], given: str) -> dict[str, str]:
    """Return a fingerprint per table: of its code, its columns, the tables that it reads, and the clinic's
    declarations.

    `declared`: a mark of each key of the clinic file; only the keys that a table's code reads count. `given`: the mark
    of the code that gives the tables their input.
    """
    made: dict[str, str] = {}
    for table in tables():
        code = code_of(*table.functions, compute)
        columns = [(column.name, column.sql_type) for column in table.columns]
        read = [(name, made.get(name)) for name in table.reads]
        asked = code.attributes if "clinic" in table.reads else frozenset()
        facts = [(name, declared[name]) for name in sorted(declared.keys() & asked)]
        made[table.name] = digest(code.mark, given, columns, read, facts)
    return made
