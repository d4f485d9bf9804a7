"""What Rapport computes: polars only, frames in, a frame out. Every module here that declares tables is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

import polars as pl

from rapport.transforms.frames.signless_zeros import without_sign
from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.schema.tables import Table, in_order

STATISTICS = (
    "scipy.stats",
    "statsmodels.discrete.discrete_model",
    "statsmodels.duration.survfunc",
    "statsmodels.stats.inter_rater",
    "statsmodels.stats.proportion",
)


def tables() -> list[Table]:
    """Every table declared in this folder and its rooms, each after those it reads."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    found = {name: thing for module in modules for name, thing in vars(module).items() if isinstance(thing, Table)}
    return in_order(found.values())


def import_statistics() -> None:
    """Import what some tables import when they are first computed: it takes seconds."""
    for library in STATISTICS:
        importlib.import_module(library)


def compute(table: Table, known: Mapping[str, object]) -> pl.DataFrame:
    """A table's rows, from what is known of the tables and facts that it reads."""
    frame = table(**{name: known[name] for name in table.reads})
    return without_sign(frame.select(table.column_names).collect())


def fingerprints(declared: Mapping[str, str], given: str) -> dict[str, str]:
    """A fingerprint per table: its code, its columns, the tables it reads, and what the clinic declares.

    `declared`: a mark of each key of the clinic file; a table's own code says which of them it reads. `given`: the mark
    of the code that brings the tables what they read.
    """
    made: dict[str, str] = {}
    for table in tables():
        code = code_of(table.function, compute)
        columns = [(column.name, column.sql_type) for column in table.columns]
        read = [(name, made.get(name)) for name in table.reads]
        asked = code.attributes if "clinic" in table.reads else frozenset()
        facts = [(name, declared[name]) for name in sorted(declared.keys() & asked)]
        made[table.name] = digest(code.mark, given, columns, read, facts)
    return made
