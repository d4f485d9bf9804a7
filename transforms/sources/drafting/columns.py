"""The columns of an export: which holds the client's number, the time, the length, by their names and their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from rapport.transforms.sources.canonical.dates import decided
from rapport.transforms.sources.drafting.id_spaces import are_automatic, numbers_of
from rapport.warehouse.errors import Refused

FILL_IN = "fill in"  # stands in a draft for a column that was not recognised; no export has a column of this name
LONGEST_NAME = 60  # characters of a column's name in a draft; a longer one is named by its place
SHARE = 0.8  # of a column's values that must look alike
LEAST_KNOWN = 3  # numbers that must be known elsewhere before a column is taken for the clients'
# What the columns of an export are often called.
CALLED = {
    "client_id": r"[ck]lient|patient|patiënt|paciente|participant|subject|record.?id|study.?id|\bmrn\b|chart|user|who|"
    r"external.?(data.?)?ref|custom.?data",
    "therapist_id": r"therapist|clinician|provider|practitioner|counsel+or|staff|seen by",
    "appointment_id": r"appointment.?(id|no|number|ref)|booking|event.?id|^(id|ref|no)\.?$",
    "starts_at": r"start|date|when|\bday\b|from|stamp|complet|submit",
    "cancelled_at": r"cancel+(ed|lation).*(at|on|date|time)|date.*cancel",
    "duration_minutes": r"duration|minutes|length",
    "service": r"service|appointment.?type|\btype\b",
    "site": r"\bsite\b|location|office|branch",
    "opened_on": r"open|admi(t|ssion)|intake|start|referred on|referral date",
    "closed_on": r"clos|discharge|ended|\bend\b",
    "birth_date": r"birth|\bdob\b",
    "sex": r"^sex$|gender",
    "status": r"stat(us|e)$|attend|outcome",
}
_OTHER_DATES = r"birth|\bdob\b|creat|book|modif|updat|cancel|export|print|\bend|until|\bto\b"
_ENDS = r"\bend|until|\bto\b|finish"
_ID, _NAME = r"\b(id|ids|no|nr|num|number|code|ref|mrn|#)\b|_(id|no|nr|num|number)$|#", r"name|initials|e.?mail"
_DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ ,T].*)?$"
_TIME_OF_DAY = r"^(1899-12-3[01] )?\d{1,2}:\d{2}(:\d{2})?\s*([AaPp]\.?[Mm]\.?)?$"


@dataclass(frozen=True)
class Column:
    """A column of an export, and the values of its first records that are not blank."""

    place: int  # from 1
    name: str
    key: str  # how clinic.toml names it
    values: pl.Series = field(repr=False, compare=False)

    @property
    def are_dates(self) -> bool:
        return _share(self.values, _DATE) >= SHARE

    @property
    def are_times_of_day(self) -> bool:
        return _share(self.values, _TIME_OF_DAY) >= SHARE

    @property
    def has_times(self) -> bool:
        """Whether its dates have times that are not all midnights."""
        return bool(self.values.str.contains(":").any() and not self.values.str.contains(r"[ T]0?0:00").all())

    def sounds_like(self, pattern: str) -> bool:
        return re.search(pattern, self.name, re.IGNORECASE) is not None


def columns_of(header: Sequence[str], sample: pl.DataFrame) -> list[Column]:
    """The columns of a table, from a frame of text whose columns are named by their places."""
    return [
        Column(place, name, _key(header, place), filled(sample[f"#{place}"]))
        for place, name in enumerate(header, start=1)
    ]


def filled(values: pl.Series) -> pl.Series:
    """The values without the blanks."""
    stripped = values.cast(pl.String).str.strip_chars().alias("value")
    return stripped.filter((stripped != "").fill_null(False))


def _key(header: Sequence[str], place: int) -> str:
    name = header[place - 1]
    is_clear = header.count(name) == 1 and 0 < len(name) <= LONGEST_NAME and name.isprintable() and "#" not in name
    return name if is_clear else f"#{place}"


def _share(values: pl.Series, pattern: str) -> float:
    return int(values.str.contains(pattern).sum()) / values.len() if values.len() else 0.0


def called(columns: Iterable[Column], what: str) -> Column | None:
    """The first column whose name sounds like it."""
    return next((each for each in columns if each.sounds_like(CALLED.get(what, f"^{what}$"))), None)


def client_column(columns: Sequence[Column], known: Collection[frozenset[str]] = ()) -> Column | None:
    """The column of the client's number: one that sounds like it and whose numbers are known elsewhere, else one whose
    numbers are known elsewhere, else one that sounds like it, a number rather than a name."""
    sounding = [each for each in columns if each.sounds_like(CALLED["client_id"])]
    for among in (sounding, columns):
        if met := [each for each in among if any(_is_known(each, numbers) for numbers in known)]:
            return met[0]
    ranked = sorted(sounding, key=lambda each: (each.sounds_like(_NAME), not each.sounds_like(_ID)))
    return ranked[0] if ranked else None


def is_name(column: Column) -> bool:
    """Whether a column of clients holds names rather than numbers, as its own name says."""
    return column.sounds_like(_NAME) and not column.sounds_like(_ID)


def _is_known(column: Column, numbers: frozenset[str]) -> bool:
    own = numbers_of(column.values)
    met = len(own & numbers)
    return met >= LEAST_KNOWN and 2 * met >= len(own) and not are_automatic(own)


def start_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns that say when: a date, and the time of day where that has a column of its own."""
    dates = [each for each in columns if each.are_dates and not each.sounds_like(_OTHER_DATES)]
    date = called(dates, "starts_at") or next(iter(dates), None)
    if date is None or date.has_times:
        return [date] if date else []
    of_day = [each for each in columns if each.are_times_of_day and not each.sounds_like(_ENDS)]
    return [date, *of_day[:1]]


def end_columns(columns: Sequence[Column], starts: Sequence[Column]) -> list[Column]:
    """The columns that say until when."""
    ends = [each for each in columns if each.sounds_like(_ENDS) and each not in starts]
    if of_day := [each for each in ends if each.are_times_of_day]:
        return [*starts[:1], of_day[0]]
    return [each for each in ends if each.are_dates and each.has_times][:1]


def date_order(columns: Iterable[Column]) -> str | None:
    """The order of day and month that all dates fit; None where both fit, and "iso" where the year stands first."""
    found = {_order(each.values.alias("date")) for each in columns if each.are_dates}
    return found.pop() if len(found) == 1 else None if found else "iso"


def _order(dates: pl.Series) -> str | None:
    if not dates.str.contains(r"^\d{1,2}[-/.]").any():
        return "iso" if dates.str.contains(r"^\d{4}-\d{2}-\d{2}").all() else "decide"
    try:
        return decided([dates.to_frame()], ["date"])["date"]
    except Refused:
        return None
