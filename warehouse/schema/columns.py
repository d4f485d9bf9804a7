"""Columns. One declaration gives the schema, the expectation, the documentation and the comment in DuckDB.

A column of several tables is declared once, in SHARED, and means the same in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rapport.warehouse.code_marks import registry

SQL_TYPES = {
    "id": "UUID",  # a pseudonym, 128 bits
    "text": "VARCHAR",
    "integer": "INTEGER",
    "long": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "instant": "TIMESTAMPTZ",  # UTC; the name ends in _at
    "wall": "TIMESTAMP",  # as the clock on the wall showed it; the name ends in _local
    "truth": "BOOLEAN",
    "answers": "FLOAT[]",  # one place per item, in the order of the published numbers; null = not answered
    "given": "STRUCT(scale VARCHAR, score DOUBLE)[]",  # scores that the export contains
    "names": "VARCHAR[]",
}

RATERS = ("client", "caregiver", "therapist", "observer")
STATUSES = (
    "attended",
    "late_cancel",
    "cancelled_by_client",
    "cancelled_by_clinic",
    "no_show",
    "scheduled",
    "rescheduled",
)
STATUS_BASES = ("stated", "derived")
OWNERS = ("client", "caregiver", "therapist", "other")  # of a goal
CLOSURES = ("planned", "client_ended", "dropout", "transferred", "other")
AGE_BANDS = ("child", "teen", "young_adult", "other")
SEXES = ("female", "male", "other")
DIRECTIONS = ("higher_better", "lower_better")
FACT_STATUSES = ("published", "recalled", "local")
TIMINGS = ("session_start", "session_end", "general")
CONSTRUCTS = ("alliance", "rupture", "responsiveness", "outcome", "motivation", "other")
SCORES = ("sum", "mean")
RELIABILITIES = ("alpha", "test_retest", "icc")
CRITERIA = (">=", ">")
NO_ESTIMATE = (  # reasons for a missing estimate: transforms/statistics/estimates.py
    "fewer than 30 clients",
    "fewer than 10 with or without the event",
    "a cell below 5",
    "nothing varies",
    "the predictor tells the two apart",
    "one client dominates",
    "no error can be made",
)
NO_WIDTH = 1e-9  # in the estimate's unit: a smaller standard error counts as 0


@dataclass(frozen=True)
class Column:
    """One column: its name, type, meaning, unit and limits.

    >>> Column("gap_days", "integer", "Days since the session before.", unit="days", between=(0, None)).comment
    'Days since the session before. Unit: days. At least 0.'
    """

    name: str
    type: str
    description: str
    unit: str = ""
    required: bool = False
    one_of: tuple[str, ...] = ()
    between: tuple[float | None, float | None] | None = None

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.type]

    @property
    def comment(self) -> str:
        """The description as DuckDB shows it, with unit, range and whether it may be empty."""
        return " ".join(part for part in (self.description, *self._promises()) if part)

    def _promises(self) -> tuple[str, ...]:
        low, high = self.between or (None, None)
        return (
            f"Unit: {self.unit}." if self.unit else "",
            f"One of {', '.join(self.one_of)}." if self.one_of else "",
            f"From {low:g} to {high:g}." if low is not None and high is not None else "",
            f"At least {low:g}." if low is not None and high is None else "",
            "Never null." if self.required else "",
        )


_SHARED = [
    Column("client_id", "id", "The client, as a pseudonym: the same in every table and every night."),
    Column("therapist_id", "id", "The therapist, as a pseudonym."),
    Column("appointment_id", "id", "The booked slot, as a pseudonym; a group session repeats it for each client."),
    Column(
        "session_id",
        "id",
        "One client in one appointment (half of the pseudonym of each); joins sessions, responses and scores.",
    ),
    Column("episode_id", "id", "The episode of care, given by the practice system or derived."),
    Column("response_id", "id", "One filled-in questionnaire, as a pseudonym."),
    Column("rater_id", "id", "Who answered, as a pseudonym, where the export says so (two caregivers differ)."),
    Column(
        "is_partial",
        "truth",
        "True where the survey tool says that the person stopped before the end; null where the tool does not say.",
    ),
    Column("source", "text", "The source of the record: a section of clinic.toml."),
    Column("starts_at", "instant", "When the appointment starts."),
    Column("starts_local", "wall", "When the appointment starts, on the wall clock of its source's zone."),
    Column("session_date", "date", "The local day of the appointment."),
    Column("duration_minutes", "integer", "Booked length.", unit="minutes", between=(1, 720)),
    Column("cancelled_at", "instant", "When it was cancelled, where the practice system says so."),
    Column(
        "status",
        "text",
        "The outcome of the appointment; a future one is scheduled, whatever its export says.",
        one_of=STATUSES,
    ),
    Column(
        "status_basis",
        "text",
        "Stated: the export gives the status. Derived: from the start time (in the future, or past without another "
        "status), or, for a late cancel, from the time of the cancellation.",
        one_of=STATUS_BASES,
    ),
    Column("service", "text", "Kind of appointment, from the clinic's list; anything else is 'other'."),
    Column("modality", "text", "In person, video and so on, from the clinic's list; anything else is 'other'."),
    Column("site", "text", "Where, from the clinic's list; anything else is 'other'."),
    Column("is_treatment", "truth", "False for the services that clinic.toml lists under not_treatment."),
    Column("age_band", "text", "Child 6-12, teen 13-17, young_adult 18-25, other; on that day.", one_of=AGE_BANDS),
    Column(
        "session_number",
        "integer",
        "Rank of the treatment session within its episode, from 1.",
        between=(1, None),
    ),
    Column(
        "client_session_number",
        "integer",
        "Rank of the session among all sessions of the client, of any kind and episode, from 1, by its start. Of "
        "sessions with the same start the one loaded first comes first.",
        between=(1, None),
    ),
    Column(
        "first_session_id",
        "id",
        "The first session that the row is computed from; it identifies the row where the therapist is not known.",
    ),
    Column(
        "dyad_session_number",
        "integer",
        "Rank of the treatment session within its dyad (episode and therapist), from 1.",
        between=(1, None),
    ),
    Column("rupture_rule", "text", "The rule that finds this possible rupture: table rupture_rules."),
    Column("other_rater", "text", "The rater whose view it is compared with.", one_of=RATERS),
    Column(
        "other_rater_number",
        "integer",
        "Which person of the other rater's kind, as in rater_number. Two parents are the raters caregiver 1 and "
        "caregiver 2. Warning: a query that groups or joins by other_rater alone mixes two people.",
        between=(1, None),
    ),
    Column("other_instrument", "text", "The other rater's questionnaire: the same, or a parallel form of it."),
    Column("score_count", "integer", "Scores that the row is computed from.", between=(0, None)),
    Column("first_score", "number", "The first score."),
    Column("last_score", "number", "The latest score; null while there is only one."),
    Column(
        "episode_number",
        "integer",
        "Rank of the client's episodes by opening day, from 1. Of episodes opened on the same day the given ones come "
        "first, in the order of loading.",
        between=(1, None),
    ),
    Column("opened_on", "date", "First day of the episode."),
    Column("closed_on", "date", "Last day of the episode, where the practice system gives one; never derived."),
    Column("closure", "text", "How the episode ended, as the practice system says.", one_of=CLOSURES),
    Column("is_derived", "truth", "True where no episode was given: gaps between sessions separate the episodes."),
    Column("presenting_problem", "text", "From the clinic's list; anything else is 'other'."),
    Column("program", "text", "From the clinic's list; anything else is 'other'."),
    Column("referral_source", "text", "From the clinic's list; anything else is 'other'."),
    Column("sex", "text", "As recorded by the practice.", one_of=SEXES),
    Column("instrument", "text", "The questionnaire: the name of its file in warehouse/instruments."),
    Column("rater", "text", "The kind of person whose view it is.", one_of=RATERS),
    Column(
        "rater_number",
        "integer",
        "Which person of that kind, such as the first or the second parent: 1, 2 ... by their first response in the "
        "episode (without an episode: of the client). 1 where the source does not tell people apart (rater_is_person). "
        "Warning: a query that groups or joins by rater alone mixes two people; add rater_number.",
        between=(1, None),
    ),
    Column("completed_at", "instant", "When it was completed; null where only the day, or nothing, is known."),
    Column("completed_on", "date", "The local day on which it was completed."),
    Column(
        "seconds",
        "number",
        "Time spent on the questionnaire, where the export gives it.",
        unit="seconds",
        between=(0, None),
    ),
    Column("item", "integer", "The item's number as published.", between=(1, None)),
    Column("scale", "text", "The scale of the instrument; 'total' is the scale of all scored items."),
    Column("score", "number", "The scale's score, by the published rule."),
    Column("item_mean", "number", "The scale's mean item score, in the range of an item, by the same rule."),
    Column(
        "pomp",
        "number",
        "Percent of maximum possible: 100 x (score - lowest) / (highest - lowest).",
        unit="percent",
        between=(0, 100),
    ),
    Column(
        "basis",
        "text",
        "Computed: by Rapport, from the answers. Given: the export contains it. The two are never mixed.",
        one_of=("computed", "given"),
    ),
    Column("threshold", "text", "The cut-off or set of bands: its name in the instrument's file."),
    Column("scheme", "text", "The authors of the cut-off or bands; a scale may have several schemes."),
    Column("population", "text", "The people for whom the threshold is meant."),
    Column("answered_count", "integer", "Items answered.", between=(0, None)),
    Column("item_count", "integer", "Items the scale (or instrument) has.", between=(0, None)),
    Column(
        "intake_band",
        "integer",
        "The fifth of the scale's range with the intake score. 1 is the lowest: percent of maximum from 0 to below 20, "
        "and so on.",
        between=(1, 5),
    ),
    Column("rule", "text", "The missing-item rule that decided whether there is a score."),
    Column("session_count", "integer", "Attended sessions.", between=(0, None)),
    Column("treatment_session_count", "integer", "Attended treatment sessions of the episode.", between=(0, None)),
    Column("first_treated_on", "date", "Day of the episode's first attended treatment session."),
    Column("last_treated_on", "date", "Day of the episode's latest attended treatment session."),
    Column("client_count", "integer", "Different clients.", between=(0, None)),
    Column("linked_count", "integer", "Episodes that the estimate is computed from.", between=(0, None)),
    Column("therapist_count", "integer", "Different therapists.", between=(0, None)),
    Column("measure", "text", "What is compared or counted; the table's description lists the measures."),
    Column("numerator_count", "integer", "The part of the denominator for which it is true.", between=(0, None)),
    Column(
        "denominator_count",
        "integer",
        "All for which it could be true, without those that are not yet known.",
        between=(0, None),
    ),
    Column("share", "number", "Numerator over denominator; null without a denominator.", between=(0, 1)),
    Column("target_share", "number", "The clinic's own share, over all therapists.", between=(0, 1)),
    Column("low", "number", "Lower end of the 95 % interval."),
    Column("high", "number", "Upper end of the 95 % interval."),
    Column("estimate", "number", "The estimate, in the unit that the table states; null where it cannot be made."),
    Column(
        "standard_error",
        "number",
        "Standard error of the estimate. Never 0: without an error there is no estimate.",
        between=(NO_WIDTH, None),
    ),
    Column(
        "degrees_of_freedom",
        "integer",
        "Degrees of freedom of Student's t for the interval: clients that carry information, less 1.",
        between=(1, None),
    ),
    Column(
        "largest_share",
        "number",
        "The share of one client, the largest, in the predictor's sum of squares, after the other terms of the model "
        "are taken out. Above 0.5 there is no estimate.",
        between=(0, 1),
    ),
    Column("why_no_estimate", "text", "Why there is no estimate; null where there is one.", one_of=NO_ESTIMATE),
    Column("first_session_on", "date", "Day of the first attended session."),
    Column("last_session_on", "date", "Day of the latest attended session."),
    Column(
        "is_used",
        "truth",
        "True for the first complete response among all responses of one person (rater, rater_number) to one "
        "instrument in a session.",
    ),
    Column(
        "age_from", "integer", "Lowest age of the clients it is for; null where no source states one.", unit="years"
    ),
    Column("age_to", "integer", "Highest age of the clients it is for; null where no source states one.", unit="years"),
    Column("direction", "text", "Whether a higher score is better.", one_of=DIRECTIONS),
    Column("is_scored", "truth", "Whether scores are computed from answers."),
    Column("why_not_scored", "text", "Why no scores are computed; null where they are."),
    Column("compared", "text", "What is compared: score, t_score, lowest_item, change or report."),
    Column("fact_source", "text", "The publication or code that states the fact."),
    Column(
        "fact_status",
        "text",
        "Published: seen in print or public code; recalled: from memory, not checked; local: a clinic's or Rapport's "
        "own.",
        one_of=FACT_STATUSES,
    ),
    Column(
        "change_name",
        "text",
        "The reliable change's name in the instrument's file; 'computed ...' where the file states none.",
    ),
    Column("file_id", "id", "The delivered file, as a keyed hash: load.files."),
    Column("load_id", "integer", "The night: load.loads."),
    Column(
        "record_number",
        "integer",
        "The record's place in its file: 1 is the first under the header.",
        between=(1, None),
    ),
    Column("exported_at", "instant", "When the export was made that last showed this."),
    Column(
        "sent_at",
        "instant",
        "When the message was sent that says this (HL7 MSH-7); null where an export holds no messages. It goes before "
        "exported_at: the later message counts.",
    ),
]

SHARED = registry({column.name: column for column in _SHARED})


def resolve(column: str | Column) -> Column:
    """A shared column by its name ('client_id', or 'client_id!' when it must not be null), or the column itself."""
    if isinstance(column, Column):
        return column
    return replace(SHARED[column.rstrip("!")], required=column.endswith("!"))
