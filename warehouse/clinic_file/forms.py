"""The places of questionnaires in an export: the `forms` of a source's section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.clinic_file.formats import Format
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.versions import refuse_versionless
from rapport.warehouse.schema.columns import RATERS
from rapport.warehouse.toml_keys.keys import keys_of, read, within
from rapport.warehouse.toml_keys.kinds import one_of

FINISHED = ("yes", "no")


@dataclass(frozen=True)
class Words:
    """A column whose values are translated; a value that is not among the words is `unknown`."""

    column: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """The place of one questionnaire in an export: its rater, and its item columns in published order."""

    name: str
    form: str  # the export's own name for it; two sections may read one form
    instrument: str
    rater: str | Words
    items: tuple[str, ...]
    completed_at: str | None
    completed_on: str | None
    therapist_id: str | None
    rater_id: str | None
    appointment_id: str | None
    seconds: str | None
    response_id: tuple[str, ...]  # columns that make an id together
    client_id: tuple[str, ...]
    undated: bool  # nobody knows when
    finished: str | None  # column: blank, or a word for no, where the person stopped before the end
    finished_words: Mapping[str, str] | None  # its words, each yes or no, where they are not English ones
    scores: tuple[tuple[str, str], ...]  # scale -> the column of its score in the export
    points: Mapping[str, float] | None  # the value of an answer in words, or of a choice's code
    range: tuple[float, float] | None  # the export's values for the lowest and the highest answer
    ticked: bool  # the items are tick boxes: any text is 1, blank is 0


def read_form(
    where: str, name: str, facts: Mapping[str, object], of: Format, instruments: Mapping[str, Instrument]
) -> Form:
    """Return one form. Raises ValueError with the key and what to do."""
    answered = ("items",) if "scores" not in facts else ()
    whose = ("client_id",) if of.needs_client_id else ()
    told = read(where, facts, keys_of("form"), needed=(*answered, *whose))
    refuse_versionless(f"{where} instrument", told["instrument"], instruments)
    one_of(f"{where} instrument", told["instrument"], tuple(instruments))
    instrument = instruments[told["instrument"]]
    if "items" in facts:
        _check_items(where, told["items"], instrument)
    if told["completed_at"] and told["completed_on"]:
        raise ValueError(f"{where} has both 'completed_at' and 'completed_on'; keep one")
    form = told["form"] or ("" if of.name == "fhir" else name)
    default_time = f"{form}_timestamp" if of.name == "redcap" and not told["completed_on"] else None
    own = {
        "name": name,
        "form": form,
        "rater": _rater(where, told["rater"]),
        "completed_at": told["completed_at"] or default_time,
        "completed_on": told["completed_on"] and told["completed_on"].isoformat(),
        "scores": _scores(where, told["scores"], instrument),
        "range": _range(where, told["range"], instrument),
        **_finished(where, told["finished"]),
    }
    if of.needs_client_id:
        _check_dated(where, told)
    return Form(**told | own)


def _check_dated(where: str, told: Mapping[str, Any]) -> None:
    """A survey without a date is almost always one whose column nobody named: its responses meet no session."""
    dated = [key for key in ("completed_at", "completed_on") if told[key]]
    if told["undated"] and dated:
        raise ValueError(f"{where} has both '{dated[0]}' and 'undated'; keep one")
    if not dated and not told["undated"]:
        raise ValueError(
            f"{where} has neither 'completed_at' (the column that says when) nor 'completed_on' (a day for all of "
            "them); add one, or undated = true where nobody knows"
        )


def _finished(where: str, told: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """The column, and what its words mean."""
    if told is None or isinstance(told, str):
        return {"finished": told, "finished_words": None}
    said = words_of(within(where, "finished"), told, FINISHED)
    return {"finished": said.column, "finished_words": said.words}


def _check_items(where: str, items: tuple[str, ...], instrument: Instrument) -> None:
    expected = instrument.item_count
    if not expected:
        raise ValueError(
            f"{where} instrument {instrument.name} has no items in Rapport; name given scores, or describe its items "
            "in a file of your own"
        )
    if len(items) != expected:
        raise ValueError(f"{where} items names {len(items)} columns; {instrument.name} has {expected} items")


def _scores(where: str, told: Mapping[str, str], instrument: Instrument) -> tuple[tuple[str, str], ...]:
    for scale in told:
        one_of(f"{where} scores", scale, sorted(instrument.scale_names))
    return tuple(told.items())


def _range(where: str, ends: tuple[float, ...] | None, instrument: Instrument) -> tuple[float, float] | None:
    if ends is None:
        return None
    if len(ends) != 2 or ends[0] == ends[1]:
        raise ValueError(f"{where} range must be the export's lowest and highest answer, such as [1, 4]")
    if instrument.other_ranges:
        raise ValueError(f"{where} range: the items of {instrument.name} have ranges of their own; use points")
    return float(ends[0]), float(ends[1])


def _rater(where: str, told: str | Mapping[str, Any]) -> str | Words:
    return told if isinstance(told, str) else words_of(within(where, "rater"), told, RATERS)


def words_of(where: str, told: Mapping[str, Any], allowed: tuple[str, ...]) -> Words:
    """Return a column with the meanings of its values. Raises ValueError for a meaning that is not in `allowed`."""
    for meaning in told["words"].values():
        one_of(f"{where} words", meaning, allowed)
    return Words(told["column"], told["words"])
