"""Fingerprints of the reading of each source and of the computation of each table.

When one changes, the source's files are read again, or the table is computed again for everybody.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from rapport import transforms
from rapport.flows.order import Order
from rapport.flows.private.crosswalk import birth_dates
from rapport.transforms.pseudonyms import pseudonymise, retracted_ids
from rapport.transforms.sessions.visits import by_visit
from rapport.transforms.sources import parts_of
from rapport.transforms.sources.canonical.ids import with_ids
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.code_marks import code_of, digest
from rapport.warehouse.derived import touched_buckets
from rapport.warehouse.derived.definitions import Fingerprints, changed
from rapport.warehouse.history.risk_answers import keep_risk_answers
from rapport.warehouse.intake.lines_of_visits import give_lines_ids
from rapport.warehouse.intake.staged_rows import Staging, mark_repeats
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store import building_file, frames

if TYPE_CHECKING:
    import duckdb

# The functions through which the rows of every source pass, from its reader to the rules.
AFTER_THE_READER = (pseudonymise, retracted_ids, Staging.add_rows, give_lines_ids, mark_repeats, keep_risk_answers)
# The functions that give the tables their input.
BEFORE_THE_TABLES = (touched_buckets.records_of, by_visit, frames.lazy_table, birth_dates)


def readings(clinic: Clinic) -> dict[str, str]:
    """A fingerprint per source: of its format's code, its section, the clinic's lists and the questionnaires. A new
    name for its id space changes none of them."""
    years = (clinic.record_years_back, clinic.record_years_ahead)
    shared = (dict(clinic.lists), years, [instrument.reading for instrument in clinic.instruments.values()])
    made = {}
    for source in clinic.sources:
        code = code_of(*parts_of(source.format), *AFTER_THE_READER)
        known_as = replace(source, id_space=clinic.spaces.first_name(source.id_space))
        numbers = clinic.spaces.numbers_of(source.id_space)
        facts = (code.facts(KINDS), _types(), source.section, code.facts(known_as), numbers)
        made[source.name] = digest(code.mark, *facts, *shared)
    return made


def _types() -> list[str]:
    return [column.sql_type for kind in KINDS.values() for column in (*kind.columns, *kind.staged_only)]


def fingerprints(order: Order) -> Fingerprints:
    """Fingerprints of every instrument, of the clinic file, of how each source's ids are read, and of every table with
    all its dependencies."""
    clinic = order.clinic
    clinic_keys = code_of(*(each for table in transforms.tables() for each in table.functions)).attributes
    declared = {each.name: digest(getattr(clinic, each.name)) for each in fields(clinic) if each.name in clinic_keys}
    visits = (clinic.visit_sources, clinic.not_treatment) if clinic.visit_sources else ()
    before_the_tables = digest(code_of(*BEFORE_THE_TABLES).mark, *visits)
    found = {("instrument", name): digest(instrument) for name, instrument in clinic.instruments.items()}
    found |= {("clinic", "clinic.toml"): digest(sorted(declared.items()))}
    found |= {("ids", source.name): how_ids_are_read(source) for source in clinic.sources}
    found |= {("table", name): mark for name, mark in transforms.fingerprints(declared, before_the_tables).items()}
    return found


def how_ids_are_read(source: Source) -> str:
    """A fingerprint of how a source's ids are read: another where an id may be another text than before."""
    return digest(code_of(with_ids).mark, source.writing)


def renewed(con: duckdb.DuckDBPyConnection, now: Fingerprints) -> set[str]:
    """The names of the tables to compute again for everybody. Their definition changed, or they are not in the file,
    because another version of Rapport, which has no such table, wrote it."""
    existing = building_file.table_names(con)
    return changed(con, now, "table") | {name for kind, name in now if kind == "table" and name not in existing}
