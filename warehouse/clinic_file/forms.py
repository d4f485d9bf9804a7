"""Where questionnaires stand in an export: the `forms` of a source's section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.versions import refuse_versionless
from rapport.warehouse.schema.columns import RATERS
from rapport.warehouse.toml_keys import known, one_of

FORM_KEYS = {
    "form": "text",
    "instrument": "text",
    "rater": "text or section",
    "items": "texts",
    "scores": "section",
    "points": "section",
    "range": "numbers",
    "ticked": "truth",
    "finished": "text",
    "completed_at": "text",
    "completed_on": "day",
    "therapist_id": "text",
    "rater_id": "text",
    "appointment_id": "text",
    "seconds": "text",
    "response_id": "text or texts",
    "client_id": "text or texts",
}
_OPTIONAL_COLUMNS = ("therapist_id", "rater_id", "appointment_id", "seconds", "finished")
_WORDS = {"column": "text", "words": "section"}


@dataclass(frozen=True)
class Words:
    """A column whose values are translated; a value that is not among the words is `unknown`."""

    column: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """Where one questionnaire stands in an export: who rates, which columns hold its items in published order."""

    name: str
    form: str  # the export's own name for it; two sections may read one form
    instrument: str
    rater: str | Words
    items: tuple[str, ...]
    completed_at: str | None = None
    completed_on: str | None = None
    therapist_id: str | None = None
    rater_id: str | None = None
    appointment_id: str | None = None
    seconds: str | None = None
    response_id: tuple[str, ...] = ()  # columns that make an id together
    client_id: tuple[str, ...] = ()
    finished: str | None = None  # blank, or a word for no, where the survey was left before its end
    scores: tuple[tuple[str, str], ...] = ()  # scale -> the column of a score that arrives already made
    points: Mapping[str, float] | None = None  # what an answer in words, or a choice's code, counts
    range: tuple[float, float] | None = None  # how the export writes the lowest and the highest answer
    ticked: bool = False  # the items are tick boxes: something is 1, nothing is 0


def read_form(where: str, name: str, keys: dict, kind: str, instruments: Mapping[str, Instrument]) -> Form:
    """One form. Raises ValueError with the key and what to do."""
    answered = ("items",) if "scores" not in keys else ()
    whose = ("client_id",) if kind in ("wide", "qualtrics", "surveymonkey") else ()
    known(where, keys, FORM_KEYS, needed=("instrument", "rater", *answered, *whose))
    refuse_versionless(f"{where} instrument", keys["instrument"], instruments)
    one_of(f"{where} instrument", keys["instrument"], tuple(instruments))
    instrument = instruments[keys["instrument"]]
    if "items" in keys:
        _check_items(where, keys, instrument)
    if "completed_at" in keys and "completed_on" in keys:
        raise ValueError(f"{where} has both 'completed_at' and 'completed_on'; keep one")
    form = keys.get("form", "" if kind == "fhir" else name)
    default_time = f"{form}_timestamp" if kind == "redcap" and "completed_on" not in keys else None
    return Form(
        name=name,
        form=form,
        instrument=keys["instrument"],
        rater=_rater(where, keys["rater"]),
        items=tuple(keys.get("items", ())),
        completed_at=keys.get("completed_at", default_time),
        completed_on=date.fromisoformat(str(keys["completed_on"])).isoformat() if "completed_on" in keys else None,
        scores=_scores(where, keys.get("scores", {}), instrument),
        points=_points(where, keys.get("points")),
        range=_range(where, keys.get("range"), instrument),
        ticked=keys.get("ticked", False),
        **{key: keys.get(key) for key in _OPTIONAL_COLUMNS},
        **{key: _together(keys.get(key, ())) for key in ("response_id", "client_id")},
    )


def _together(columns: str | list[str]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _check_items(where: str, keys: dict, instrument: Instrument) -> None:
    expected = instrument.item_count
    if not expected:
        raise ValueError(f"{where} instrument {instrument.name} has no items here; bring given scores, or its own file")
    if len(keys["items"]) != expected:
        raise ValueError(f"{where} items names {len(keys['items'])} columns; {instrument.name} has {expected} items")


def _scores(where: str, facts: dict, instrument: Instrument) -> tuple[tuple[str, str], ...]:
    for scale in facts:
        one_of(f"{where} scores", scale, sorted(instrument.scale_names))
    known(f"{where} scores", facts, dict.fromkeys(facts, "text"))
    return tuple(facts.items())


def _points(where: str, facts: dict | None) -> dict[str, float] | None:
    known(f"{where} points", facts or {}, dict.fromkeys(facts or {}, "number"))
    return facts


def _range(where: str, ends: list[float] | None, instrument: Instrument) -> tuple[float, float] | None:
    if ends is None:
        return None
    if len(ends) != 2 or ends[0] == ends[1]:
        raise ValueError(f"{where} range must be how the lowest and the highest answer are written, such as [1, 4]")
    if instrument.other_ranges:
        raise ValueError(f"{where} range: the items of {instrument.name} have ranges of their own; use points")
    return float(ends[0]), float(ends[1])


def _rater(where: str, rater: str | dict) -> str | Words:
    if isinstance(rater, str):
        return one_of(f"{where} rater", rater, RATERS)
    return read_words(f"{where} rater", rater, RATERS)


def read_words(where: str, facts: dict, allowed: tuple[str, ...]) -> Words:
    """A column and what its values mean. Raises ValueError with the key."""
    known(where, facts, _WORDS, needed=_WORDS)
    for meaning in facts["words"].values():
        one_of(f"{where} words", meaning, allowed)
    return Words(facts["column"], dict(facts["words"]))
