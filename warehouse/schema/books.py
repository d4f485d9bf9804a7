"""The books: what came in, where it went, what was checked, how the night went. Schema `load`.

Two ledgers, each of which must balance: load.files in physical records, load.rows in canonical rows.
"""

from __future__ import annotations

from rapport.warehouse.schema.columns import Column, resolve
from rapport.warehouse.schema.records import CAUSES
from rapport.warehouse.schema.relations import Relation

QUARANTINE_STATES = ("waiting", "released", "discarded", "source_gone")
PURPOSES = ("night", "discard", "forget", "restore", "compaction")
OUTCOMES = ("passed", "failed", "did_not_run")


def _book(name: str, key: str, description: str, *columns: str | Column) -> Relation:
    return Relation(name, description, tuple(key.split()), tuple(map(resolve, columns)))


def _count(name: str, description: str) -> Column:
    return Column(name, "integer", description, required=True, between=(0, None))


_WENT = (
    _count("duplicate_count", "Identical repeats within the file; one of each was kept."),
    _count("unchanged_count", "Taught nothing new: equal to what is known, or older than it."),
    _count("quarantined_count", "Held back by a rule: load.quarantine."),
    _count("loaded_count", "Became a new version."),
)

LOADS = _book(
    "loads",
    "load_id",
    "One row per night, also those that failed, and per other change to what is published.",
    "load_id!",
    Column("purpose", "text", "What it was for.", required=True, one_of=PURPOSES),
    Column("as_of", "instant", "The night's only clock.", required=True),
    Column("started_at", "instant", "When it started."),
    Column("finished_at", "instant", "When it published, or failed."),
    Column(
        "outcome",
        "text",
        "Whether it published; withdrawn: an older version was restored over it.",
        required=True,
        one_of=("published", "failed", "withdrawn"),
    ),
    Column("reason", "text", "Why it failed, or was done, in one sentence."),
    Column("client_count", "integer", "Clients whose tables were computed again."),
    Column(
        "is_full_build", "truth", "True when tables were computed for every client: the first, or a new definition."
    ),
)

STEPS = _book(
    "steps",
    "load_id step",
    "One row per night and step, with its time.",
    "load_id!",
    Column("step", "text", "The step's name.", required=True),
    Column("position", "integer", "Its place in the night.", required=True),
    Column("seconds", "number", "How long it took on the clock.", unit="seconds"),
    Column("cpu_seconds", "number", "Processor time it took.", unit="seconds"),
    Column(
        "row_count",
        "integer",
        "Rows that it read, compared, computed or checked: of what the load brought, and of the clients it touched. "
        "What grows with the whole file (its copy, the clinic's tables) is not among them.",
        between=(0, None),
    ),
)

FILES = _book(
    "files",
    "load_id file_id",
    "One row per file and night that read it (or passed over a new copy of what was known). In physical records: "
    "record_count = header + blank_or_footer + ignored + duplicate + unchanged + quarantined + loaded.",
    "load_id!",
    "file_id!",
    "source!",
    Column(
        "pattern",
        "text",
        "The files pattern of clinic.toml; the file's name stays out, it may hold a person's.",
    ),
    Column("name_id", "id", "Keyed hash of source and file name.", required=True),
    Column("content", "text", "SHA-256 of its bytes.", required=True),
    Column("byte_count", "long", "Its size.", unit="bytes"),
    Column("modified", "long", "Its file-system time, only to see that it was not touched.", unit="nanoseconds"),
    Column("exported_at", "instant", "When the export was made that last showed this.", required=True),
    Column(
        "reading",
        "text",
        "Fingerprint of its format's reader, its clinic.toml section and the instruments that it was read by.",
        required=True,
    ),
    Column("rules", "text", "Fingerprint of the rules that its rows were checked by.", required=True),
    Column("covers", "text", "What it claims to hold (all, or days back); null: what it leaves out says nothing."),
    Column("rereads_at", "instant", "When an appointment that was still to come begins: it is read again then."),
    Column("is_passed_over", "truth", "True for bytes equal to the source's latest: not parsed.", required=True),
    _count("record_count", "Physical records in the file, its header included."),
    _count("header_count", "Header records."),
    _count("blank_or_footer_count", "Blank lines and footers."),
    _count("ignored_count", "Records that hold nothing clinic.toml asks for."),
    *_WENT,
    _count("vanished_count", "Records known before that it covers and no longer holds; not part of the sum."),
    _count("ambiguous_time_count", "Wall-clock times that came twice at a change of clocks; taken as the first."),
    _count("missing_time_count", "Wall-clock times that did not exist at a change of clocks; moved an hour on."),
)

ROWS = _book(
    "rows",
    "load_id file_id records",
    "One row per file, night and kind of record, in canonical rows: "
    "row_count = duplicate + unchanged + quarantined + loaded.",
    "load_id!",
    "file_id!",
    Column("records", "text", "Kind of record.", required=True),
    _count("row_count", "Canonical rows read."),
    *_WENT,
)

QUARANTINE = _book(
    "quarantine",
    "quarantine_id",
    "One row per record, file and rule that held it back. No values: they stay in the file. "
    "waiting + released + discarded + source_gone = ever quarantined.",
    Column("quarantine_id", "integer", "Its number, for python -m flows.quarantine.", required=True),
    "load_id!",
    "file_id!",
    "source!",
    Column("records", "text", "Kind of record.", required=True),
    "record_number!",
    Column("record_count", "integer", "Physical records held back together.", required=True),
    Column("rule", "text", "The rule it broke.", required=True),
    Column("column_name", "text", "The column, where the rule is about one.", required=True),
    Column("record_id", "id", "The record as a pseudonym (session, response, episode or client); null if unreadable."),
    "client_id",
    Column(
        "state",
        "text",
        "Waiting; released by a later reading or a newer export; discarded by ops; or its file is gone or replaced.",
        required=True,
        one_of=QUARANTINE_STATES,
    ),
    Column("settled_by", "integer", "The load that settled it; null while it waits."),
)

EXPECTATION_RESULTS = _book(
    "expectation_results",
    "load_id suite expectation",
    "One row per night and expectation. A check that could not run is neither passed nor failed.",
    "load_id!",
    Column("suite", "text", "The table checked, with its schema.", required=True),
    Column("expectation", "text", "What was expected.", required=True),
    Column("severity", "text", "Critical stops the night; warning quarantines rows.", required=True),
    Column("outcome", "text", "Passed, failed or did_not_run.", required=True, one_of=OUTCOMES),
    Column("checked_count", "integer", "Rows checked."),
    Column("unexpected_count", "integer", "Rows that broke it."),
)

UNLISTED = _book(
    "unlisted",
    "load_id file_id column_name",
    "Texts that became 'other' because clinic.toml does not list them: a count, never the text.",
    "load_id!",
    "file_id!",
    Column("column_name", "text", "The column.", required=True),
    _count("unlisted_count", "Rows whose text became 'other'."),
)

CLIENT_LINKS = _book(
    "client_links",
    "load_id id_space own_id",
    "One row per record number that is joined to another system's, and load that was the first to use it: by "
    "client_links.csv, because its id space is the same as another (same_as in clinic.toml), or because it is another "
    "text of one number.",
    "load_id!",
    Column("id_space", "text", "The number's id space, by its first name.", required=True),
    Column("own_id", "id", "The pseudonym that the number has alone.", required=True),
    "client_id!",
    Column("withdrawn_by", "integer", "The load that no longer used it; null while it is in use."),
    Column("is_another_text", "truth", "Whether it is another text of the client's own number: such a join stays."),
)

SPACES = _book(
    "spaces",
    "source first_name",
    "One row per source and id space that it was ever read under: whose record numbers it has, or had.",
    Column("source", "text", "The section of clinic.toml; null where it is not known any more."),
    Column("id_space", "text", "The space's name, as the last load that read it knew it.", required=True),
    Column("first_name", "text", "The name that it had first, which is inside its pseudonyms.", required=True),
    Column("load_id", "integer", "The first load that read the source under it.", required=True),
    Column("left_by", "integer", "The load that first read the source under another; null while it has this one."),
)

PERSON_REPORTS = _book(
    "person_reports",
    "load_id made_at",
    "One row per report of what is held of one person, made for that person: when, and never of whom.",
    "load_id!",
    Column("made_at", "instant", "When it was made.", required=True),
)

EXPIRIES = _book(
    "expiries",
    "load_id",
    "One row per load that took out what is kept no longer: [keep] years_after_closing in clinic.toml.",
    "load_id!",
    _count("client_count", "Clients of whom something was taken out."),
    _count("episode_count", "Episodes of theirs that were taken out; a client without an episode has none."),
)

DEFINITIONS = _book(
    "definitions",
    "kind name load_id",
    "One row per table, instrument, clinic file and source's way to read ids, and load that first used it as it is.",
    Column("kind", "text", "What it defines.", required=True, one_of=("table", "instrument", "clinic", "ids")),
    Column("name", "text", "Its name.", required=True),
    "load_id!",
    Column("fingerprint", "text", "Of the definition and all that it depends on.", required=True),
)

NOT_TOLD = "Null where it is not told: a person was taken out since."
CHANGES = _book(
    "changes",
    "load_id table_name",
    "One row per load and table of main that it changed: whole rows, by the table's key.",
    "load_id!",
    Column("table_name", "text", "The table.", required=True),
    Column("added_count", "integer", f"Rows that were not there. {NOT_TOLD}"),
    Column("changed_count", "integer", f"Rows that say something else. {NOT_TOLD}"),
    Column("removed_count", "integer", f"Rows that are no longer there. {NOT_TOLD}"),
)

MOVEMENTS = _book(
    "movements",
    "load_id headline part cause",
    "One row per load, headline and cause that moved it; view why_it_moved tells it as values.",
    "load_id!",
    Column("headline", "text", "The number that moved.", required=True),
    Column("part", "text", "Of what: instrument and rater, or nothing.", required=True),
    Column("cause", "text", "Why the rows changed.", required=True, one_of=CAUSES),
    Column("numerator_change", "number", f"What it added to the headline's sum. {NOT_TOLD}"),
    Column(
        "denominator_change",
        "number",
        f"What it added to the number it is divided by; null for a plain count. {NOT_TOLD}",
    ),
)

SOURCES = _book(
    "sources",
    "source",
    "One row per section of clinic.toml: when it last came, and whether it is late.",
    "source!",
    Column("format", "text", "How it is read.", required=True),
    Column("last_exported_at", "instant", "Export time of its latest file; null when none ever came."),
    Column("every_hours", "integer", "How often it should come.", unit="hours"),
    Column("is_late", "truth", "True when its latest export is older than that and twelve hours.", required=True),
    _count("file_count", "Files ever read."),
    _count(
        "read_otherwise_count",
        "Current records that were read by older code or under another clinic file, and stay so: their exports are "
        "gone. As the last night that read files counted them.",
    ),
)

CURRENT = _book(
    "current",
    "load_id",
    "One row: which night this file is. Everything that depends on today uses as_of from here. The people in this file "
    "are pseudonymous, not anonymous: who holds the key, or knows enough about someone, can find them.",
    "load_id!",
    Column("as_of", "instant", "The night's only clock.", required=True),
    Column("data_to", "instant", "The latest export in it."),
    Column("time_zone", "text", "The clinic's zone.", required=True),
    Column("key_check", "text", "Shows that the same pseudonym key is used every night.", required=True),
    Column("rapport_version", "text", "Rapport's version.", required=True),
    Column("duckdb_version", "text", "DuckDB's version.", required=True),
    Column("polars_version", "text", "polars' version.", required=True),
)

BOOKS = {
    book.name: book
    for book in (
        LOADS,
        STEPS,
        FILES,
        ROWS,
        QUARANTINE,
        EXPECTATION_RESULTS,
        UNLISTED,
        CLIENT_LINKS,
        SPACES,
        PERSON_REPORTS,
        EXPIRIES,
        DEFINITIONS,
        CHANGES,
        MOVEMENTS,
        SOURCES,
        CURRENT,
    )
}
