"""The tables of schema `load`: files read, rows loaded, checks and their results, nights and their steps.

Two of them must add up in every night: load.files in physical records, load.rows in canonical rows.
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


_OUTCOME_COUNTS = (
    _count("duplicate_count", "Identical repeats within the file; one of each was kept."),
    _count("unchanged_count", "Equal to the known version, or older than it: nothing new."),
    _count("quarantined_count", "Held back by a rule: see load.quarantine."),
    _count("loaded_count", "Loaded as a new version."),
)

LOADS = _book(
    "loads",
    "load_id",
    "One row per night, failed nights too, and one per other change of the published file.",
    "load_id!",
    Column("purpose", "text", "The purpose of the load.", required=True, one_of=PURPOSES),
    Column("as_of", "instant", "The night's only clock.", required=True),
    Column("started_at", "instant", "When it started."),
    Column("finished_at", "instant", "When it published, or failed."),
    Column(
        "outcome",
        "text",
        "Published or failed. Withdrawn: an older version was restored later, so this load is no longer published.",
        required=True,
        one_of=("published", "failed", "withdrawn"),
    ),
    Column("reason", "text", "Why it failed, or why somebody started it, in one sentence."),
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
        "Rows that it read, compared, computed or checked, of the new files and of the clients whose data changed. "
        "Work that grows with the whole file (its copy, the clinic's tables) is not counted.",
        between=(0, None),
    ),
)

FILES = _book(
    "files",
    "load_id file_id",
    "One row per file and night that read it (or skipped it as an identical copy). In physical records: "
    "record_count = header + blank_or_footer + ignored + duplicate + unchanged + quarantined + loaded.",
    "load_id!",
    "file_id!",
    "source!",
    Column(
        "pattern",
        "text",
        "The files pattern of clinic.toml. The file's own name is not kept: it may contain a person's name.",
    ),
    Column("name_id", "id", "Keyed hash of source and file name.", required=True),
    Column("content", "text", "SHA-256 of its bytes.", required=True),
    Column("byte_count", "long", "Its size.", unit="bytes"),
    Column("modified", "long", "Its file-system time; shows only whether it was changed since.", unit="nanoseconds"),
    Column(
        "first_modified",
        "long",
        "Its file-system time at its first loading, which no later reading changes. It orders the exports of one time.",
        unit="nanoseconds",
    ),
    Column("first_load_id", "integer", "The load that first read it. It orders files of one time."),
    Column("exported_at", "instant", "When the export was made that last showed this.", required=True),
    Column(
        "reading",
        "text",
        "Fingerprint of its format's reader, its clinic.toml section and the instruments with which it was read.",
        required=True,
    ),
    Column("rules", "text", "Fingerprint of the rules with which its rows were checked.", required=True),
    Column(
        "covers",
        "text",
        "The records that it claims to hold (all, or a number of days back). Null: a missing record means nothing.",
    ),
    Column("rereads_at", "instant", "Start of its next future appointment: the file is read again after it."),
    Column(
        "is_passed_over",
        "truth",
        "True when its bytes equal the source's latest file: it is not read again.",
        required=True,
    ),
    _count("record_count", "Physical records in the file, its header included."),
    _count("header_count", "Header records."),
    _count("blank_or_footer_count", "Blank lines and footers."),
    _count("ignored_count", "Records that hold nothing clinic.toml asks for."),
    *_OUTCOME_COUNTS,
    _count("vanished_count", "Known records that it covers but no longer holds; not part of the sum."),
    _count("ambiguous_time_count", "Wall-clock times that occur twice when the clocks change; read as the first."),
    _count("missing_time_count", "Wall-clock times that do not exist when the clocks change; moved one hour later."),
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
    *_OUTCOME_COUNTS,
)

QUARANTINE = _book(
    "quarantine",
    "quarantine_id",
    "One row per record, file and rule that held it back. It has no values: they stay in the file. "
    "waiting + released + discarded + source_gone = ever quarantined.",
    Column("quarantine_id", "integer", "Its number, for rapport inbox.", required=True),
    "load_id!",
    "file_id!",
    "source!",
    Column("records", "text", "Kind of record.", required=True),
    "record_number!",
    "sent_at",
    Column("record_count", "integer", "Physical records held back together.", required=True),
    Column("rule", "text", "The rule it broke.", required=True),
    Column("column_name", "text", "The column that the rule is about; empty for other rules.", required=True),
    Column("record_id", "id", "The record's pseudonym (session, response, episode or client); null if unreadable."),
    "client_id",
    Column(
        "state",
        "text",
        "Waiting; released by a later reading or a newer export; discarded by an operator; or source_gone: its file is "
        "gone or replaced.",
        required=True,
        one_of=QUARANTINE_STATES,
    ),
    Column("settled_by", "integer", "The load that settled it; null while it waits."),
)

EXPECTATION_RESULTS = _book(
    "expectation_results",
    "load_id suite expectation",
    "One row per night and expectation. A check that could not run has neither passed nor failed.",
    "load_id!",
    Column("suite", "text", "The table checked, with its schema.", required=True),
    Column("expectation", "text", "What was expected.", required=True),
    Column(
        "severity", "text", "Critical: a failure stops the night. Warning: the rows go to quarantine.", required=True
    ),
    Column("outcome", "text", "Passed, failed or did_not_run.", required=True, one_of=OUTCOMES),
    Column("checked_count", "integer", "Rows checked."),
    Column("unexpected_count", "integer", "Rows that failed the check."),
)

UNLISTED = _book(
    "unlisted",
    "load_id file_id column_name",
    "One row per night, file and column: how many texts became 'other' because clinic.toml does not list them. The "
    "texts are not kept.",
    "load_id!",
    "file_id!",
    Column("column_name", "text", "The column.", required=True),
    _count("unlisted_count", "Rows whose text became 'other'."),
)

CLIENT_LINKS = _book(
    "client_links",
    "load_id id_space own_id",
    "One row per record number that is joined to another, with the first load that used the link. The link is from "
    "client_links.csv or merged_clients.csv, from same_as in clinic.toml, or the two are texts of one number.",
    "load_id!",
    Column("id_space", "text", "The number's id space, by its first name.", required=True),
    Column("own_id", "id", "The pseudonym that the number has without the link.", required=True),
    "client_id!",
    Column("withdrawn_by", "integer", "The first load without the link; null while it is in use."),
    Column("is_another_text", "truth", "Whether both are numbers of one id space. Such a link is never withdrawn."),
)

SPACES = _book(
    "spaces",
    "source first_name",
    "One row per source and id space: the system whose record numbers the source uses, or used before.",
    Column("source", "text", "The section of clinic.toml; null where it is no longer known."),
    Column("id_space", "text", "The space's name in the last load that read it.", required=True),
    Column("first_name", "text", "The space's first name; the pseudonyms are made with it.", required=True),
    Column("load_id", "integer", "The first load that read the source with this space.", required=True),
    Column("left_by", "integer", "The first load that read the source with another space; null while it has this one."),
)

EXPORT_COLUMNS = _book(
    "export_columns",
    "source column_id",
    "One row per source and column of its newest export, or of several of one time. What the next export lacks or adds "
    "is told.",
    "source!",
    Column("column_id", "id", "Keyed hash of source and column name, without capitals and marks.", required=True),
    Column("place", "integer", "Its place in the export, from 1.", required=True),
    Column(
        "column_name",
        "text",
        "The name under which it is read; null where it is not read. Other names are not kept: one may be a person's.",
    ),
    Column("is_in_all", "truth", "Whether each of several exports of one time has it.", required=True),
    Column("load_id", "integer", "The load that read the export.", required=True),
)

SHARED_APPOINTMENT_IDS = _book(
    "shared_appointment_ids",
    "source appointment_id",
    "One row per appointment id that two clients held in one file: a group session, which never moves to one of them.",
    "source!",
    "appointment_id!",
    Column("load_id", "integer", "The first load whose file shows it.", required=True),
)

RETRACTIONS = _book(
    "retractions",
    "source records record_id file_id",
    "One row per record that a file takes back as entered in error. No older export brings such a record again.",
    "source!",
    Column("records", "text", "Kind of record.", required=True),
    Column("record_id", "id", "The record's pseudonym.", required=True),
    "file_id!",
    Column("load_id", "integer", "The load that last read the file.", required=True),
)

PERSON_REPORTS = _book(
    "person_reports",
    "load_id made_at",
    "One row per report that shows a person the data held about them: when it was made, never about whom.",
    "load_id!",
    Column("made_at", "instant", "When it was made.", required=True),
)

EXPIRIES = _book(
    "expiries",
    "load_id",
    "One row per load that erased data older than the clinic keeps: [keep] years_after_closing in clinic.toml.",
    "load_id!",
    _count("client_count", "Clients with erased data."),
    _count("episode_count", "Erased episodes; a client without an episode has none."),
)

DEFINITIONS = _book(
    "definitions",
    "kind name load_id",
    "One row per version of a table, an instrument, the clinic file or a source's way to read ids, with the first load "
    "that used it.",
    Column("kind", "text", "The kind of definition.", required=True, one_of=("table", "instrument", "clinic", "ids")),
    Column("name", "text", "Its name.", required=True),
    "load_id!",
    Column("fingerprint", "text", "Fingerprint of the definition and of all that it depends on.", required=True),
)

NOT_TOLD = "Null where it is withheld: a person was erased since."
CHANGES = _book(
    "changes",
    "load_id table_name",
    "One row per load and table of main that it changed. Rows are compared by the table's key.",
    "load_id!",
    Column("table_name", "text", "The table.", required=True),
    Column("added_count", "integer", f"New rows. {NOT_TOLD}"),
    Column("changed_count", "integer", f"Rows with another value. {NOT_TOLD}"),
    Column("removed_count", "integer", f"Rows that are gone. {NOT_TOLD}"),
)

MOVEMENTS = _book(
    "movements",
    "load_id headline part cause",
    "One row per load, headline and cause that changed it; view why_it_moved shows the same as values.",
    "load_id!",
    Column("headline", "text", "The number that changed.", required=True),
    Column("part", "text", "The instrument and rater that it is about; empty for all.", required=True),
    Column("cause", "text", "Why the rows changed.", required=True, one_of=CAUSES),
    Column("numerator_change", "number", f"Change of the headline's numerator. {NOT_TOLD}"),
    Column(
        "denominator_change",
        "number",
        f"Change of the headline's denominator; null for a plain count. {NOT_TOLD}",
    ),
)

WITHHELD = "Null where no appointments are known, or where it is withheld: a person was erased since."
MATCH_FINDINGS = ("nobody_in_common", "few_in_common", "share_fell", "automatic_numbers")


def _matched(name: str, description: str) -> Column:
    return Column(name, "integer", description, between=(0, None))


MATCHES = _book(
    "matches",
    "load_id source",
    "One row per night and source: do its clients have appointments, and do its responses meet sessions. All current "
    "records of the source are counted, whenever they came. response_count = appointment + time + day + waiting + "
    "too_early + too_late + no_session + client_unknown.",
    "load_id!",
    "source!",
    _matched("record_count", f"Its current records. {NOT_TOLD}"),
    _matched("client_count", f"Clients with a record of it. {NOT_TOLD}"),
    _matched("known_client_count", f"Of these, clients with an appointment of any source. {WITHHELD}"),
    _matched("response_count", f"Its current responses. {NOT_TOLD}"),
    _matched("appointment_count", f"Responses matched to the session that they name. {WITHHELD}"),
    _matched("time_count", f"Responses matched by their time. {WITHHELD}"),
    _matched("day_count", f"Responses matched by their day. {WITHHELD}"),
    _matched(
        "waiting_count",
        f"Responses that an appointment may hold which is still to come, or is not exported yet. {WITHHELD}",
    ),
    _matched("too_early_count", f"Responses before their client's nearest session, outside its window. {WITHHELD}"),
    _matched("too_late_count", f"Responses after their client's nearest session, outside its window. {WITHHELD}"),
    _matched(
        "no_session_count",
        f"Responses without a date, of clients without a session, or that name an appointment without one. {WITHHELD}",
    ),
    _matched("client_unknown_count", f"Responses of clients without any appointment. {WITHHELD}"),
    Column("delivery_load_id", "integer", "The load that brought its newest responses; null where it has none."),
    _matched("delivery_count", f"Responses that this load brought or changed, without those that wait. {WITHHELD}"),
    _matched("delivery_matched_count", f"Of these, responses matched to a session. {WITHHELD}"),
    _matched("delivery_unknown_count", f"Of these, responses of clients without any appointment. {WITHHELD}"),
    _matched("delivery_day_only_count", f"Of these, unmatched responses with a day and no time. {WITHHELD}"),
    Column(
        "finding",
        "text",
        "Why it was told to operators; null where it was not. nobody_in_common, few_in_common: none of its clients, or "
        "fewer than half, have an appointment. share_fell: fewer responses of its newest delivery match than usual. "
        "automatic_numbers: its clients' numbers are 1, 2, 3 ... without a gap.",
        one_of=MATCH_FINDINGS,
    ),
)

SOURCES = _book(
    "sources",
    "source",
    "One row per source (a section of clinic.toml): when its last export came, and whether it is late.",
    "source!",
    Column("format", "text", "The format of its exports.", required=True),
    Column("last_exported_at", "instant", "Export time of its latest file; null when none ever came."),
    Column("every_hours", "integer", "How often an export should come.", unit="hours"),
    Column("is_late", "truth", "True when its latest export is older than every_hours plus 12 hours.", required=True),
    _count("file_count", "Files ever read."),
    _count(
        "read_otherwise_count",
        "Current records that were read by older code or with another clinic file. They stay as they are: their "
        "exports are gone. Counted in the last night that read files.",
    ),
)

CURRENT = _book(
    "current",
    "load_id",
    "One row: the load that this file is from. All that depends on today's date uses this as_of. The people in this "
    "file are pseudonymous, not anonymous: whoever holds the key, or knows enough about a person, can find that "
    "person.",
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
        EXPORT_COLUMNS,
        SHARED_APPOINTMENT_IDS,
        RETRACTIONS,
        PERSON_REPORTS,
        EXPIRIES,
        DEFINITIONS,
        CHANGES,
        MOVEMENTS,
        MATCHES,
        SOURCES,
        CURRENT,
    )
}
