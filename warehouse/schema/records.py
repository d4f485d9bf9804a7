"""The kinds of record into which every export is read. Schema `history` keeps every version of a record.

Each kind has a `key` (with `source`), its columns, and rules for its rows. A row that breaks a rule is not loaded: it
waits in load.quarantine, with the rule's name.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapport.warehouse.code_marks import registry
from rapport.warehouse.schema.columns import OWNERS, Column, resolve
from rapport.warehouse.schema.relations import Relation


@dataclass(frozen=True)
class RecordKind(Relation):
    """One kind of record: `appointments`, `responses`, `episodes`, `clients`."""

    staged_only: tuple[Column, ...] = ()
    dated_by: str = ""  # the time that decides whether an export covers a record; "" for a kind without a day

    @property
    def content(self) -> tuple[str, ...]:
        """The columns whose change makes a new version."""
        return tuple(column.name for column in self.columns if column.name not in self.key)


CORRECTED, UNREAD, VANISHED = "corrected", "no longer read from its file", "vanished from its export"
RETRACTED = "entered in error"
CLOSED_BECAUSE = (CORRECTED, UNREAD, VANISHED, RETRACTED)
# Why rows of tables change: warehouse/derived/why_it_moved.py.
NEW, GONE, ERASED, DEFINITION, STANDING = "new", "vanished", "erased", "definition", "standing"
CAUSES = (ERASED, GONE, CORRECTED, NEW, DEFINITION, STANDING)  # in the order in which a night's movement is shown

# What a reader itself finds wrong with a record, beside columns that cannot be read: rules of their own.
TOO_SHORT, OUT_OF_TIME, CONTRADICTED = "record_too_short", "time_out_of_range", "code_contradicts_points"
ROUNDED_ID, LOCAL_REFERENCE, ID_PATTERN = "rounded_id", "local_reference", "id_pattern"
CANCELLED_BY_UNKNOWN = "cancelled_by_unknown"
HELD_BY_READERS = (
    *(TOO_SHORT, OUT_OF_TIME, CONTRADICTED, ROUNDED_ID, LOCAL_REFERENCE, ID_PATTERN),
    CANCELLED_BY_UNKNOWN,
)
RULE_END = "\x1f"


def held_by(rule: str, column: str = "") -> str:
    """What stands in `unreadable` where a reader holds a record by a rule of HELD_BY_READERS."""
    return f"{rule}{RULE_END}{column}"


PROVENANCE = tuple(resolve(name) for name in ("file_id!", "record_number!", "exported_at!"))

FILE_NUMBER = Column("file_number", "integer", "The file's place in the night's order of reading.", required=True)

STAGED_ONLY = (
    Column("row_id", "long", "The row's number within the night.", required=True),
    FILE_NUMBER,
    Column("record_count", "integer", "Physical records that the row was made from.", required=True),
    Column(
        "unreadable",
        "names",
        "The columns whose values could not be read; behind another rule's name what breaks that rule.",
    ),
    Column("disposition", "text", "loaded, unchanged, duplicate or quarantined.", required=True),
)

# It orders records that dates and numbers do not order, such as two sessions with the same start. An id is a keyed
# hash: it must never order anything.
LOADED_NUMBER = Column(
    "loaded_number",
    "long",
    "The record's place among all records ever loaded, lower for earlier ones. It stays when the record is corrected, "
    "is read again, or vanishes and comes back.",
    required=True,
)

SENT_AT = resolve("sent_at")

VERSION = (
    Column("known_from", "integer", "The load that added this version.", required=True),
    Column("known_to", "integer", "The load that replaced or closed it; null while it is current."),
    Column("closed_because", "text", "Why it is no longer current; null while it is.", one_of=CLOSED_BECAUSE),
)


def _kind(
    name: str, description: str, key: str, columns: list[str | Column], *staged_only: Column, dated_by: str = ""
) -> RecordKind:
    made = tuple(map(resolve, columns))
    return RecordKind(name, description, tuple(key.split()), made, staged_only=staged_only, dated_by=dated_by)


APPOINTMENTS = _kind(
    "appointments",
    "Booked slots, one row per client and slot.",
    "source session_id",
    [
        "source!",
        "session_id!",
        "appointment_id!",
        "client_id!",
        "therapist_id",
        "starts_at!",
        "starts_local",
        "duration_minutes",
        "cancelled_at",
        "status!",
        "status_basis",
        "service",
        "modality",
        "site",
    ],
    dated_by="starts_at",
)

RESPONSES = _kind(
    "responses",
    "Filled-in questionnaires, one row per response with all its answers.",
    "source response_id",
    [
        "source!",
        "response_id!",
        "client_id!",
        "instrument!",
        "rater!",
        "rater_id",
        "therapist_id",
        Column(
            "appointment_session_id",
            "id",
            "The session of the appointment that the export names, if it names one.",
        ),
        "completed_at",
        "completed_on",
        "seconds",
        "is_partial",
        Column("answers", "answers", "The answers, one place per item in the order of the published numbers."),
        Column("given_scores", "given", "Scores that the export contains, by scale."),
        Column(
            "goal_owners",
            "names",
            "The owner of the goal that each answer is about, where the export says so: " + ", ".join(OWNERS) + ".",
        ),
    ],
    Column("item_word", "text", "Null, or 'unknown' when a row names no item or scale of its instrument."),
    dated_by="coalesce(completed_at, completed_on::TIMESTAMPTZ)",
)

EPISODES = _kind(
    "episodes",
    "Episodes of care as the practice system gives them.",
    "source episode_id",
    [
        "source!",
        "episode_id!",
        "client_id!",
        "opened_on!",
        "closed_on",
        "closure",
        "presenting_problem",
        "program",
        "referral_source",
    ],
)

CLIENTS = _kind(
    "clients",
    "One row per client, as an export describes the client; birth dates stay in the private tree.",
    "source client_id",
    [
        "source!",
        "client_id!",
        "sex",
        Column(
            "birth_date_mark",
            "id",
            "A keyed hash of client and birth date. It shows that a birth date was corrected, never the date.",
        ),
    ],
)

KINDS = registry({kind.name: kind for kind in (CLIENTS, EPISODES, APPOINTMENTS, RESPONSES)})
