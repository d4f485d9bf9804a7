"""The clinic's file: clinic.toml, read once, refused with the key and the reason.

Every key is named here; an unknown one is refused, so a misspelled key never does nothing silently.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from warehouse.columns import RATERS, SEXES
from warehouse.declarations import known, one_of, time_span, zone_name
from warehouse.errors import Unusable
from warehouse.instruments import Instrument, Scale, load_instruments
from warehouse.instruments.norms import Norm, Reliability
from warehouse.instruments.provenance import Provenance
from warehouse.instruments.t_scores import NO_T_SCORES, TScores, read_t_scores
from warehouse.instruments.thresholds import Change, Threshold
from warehouse.instruments.versions import refuse_versionless
from warehouse.protocol import Due, read_protocol
from warehouse.records import KINDS
from warehouse.rupture_rules import RuptureRule, read_rupture_rules
from warehouse.schedule import KEYS as SCHEDULE
from warehouse.schedule import Schedule, schedule_of
from warehouse.sharing import Sharing, read_sharing

TEXTS = ("service", "modality", "site", "program", "presenting_problem", "referral_source")
PLAIN_KINDS = ("clients", "episodes", "appointments", "responses")
FORMATS = ("plain", "redcap", "wide")
MINIMUM_CASELOAD = 15  # clients; the lower end of what is asked for before therapists are told apart (15 to 30)
ENCODINGS = ("utf-8", "utf-16", "windows-1252")

# Every key, with its kind of value.
_TOP = {
    "time_zone": "text",
    **SCHEDULE,
    "on_failure": "text",
    "quarantine_limit": "number",
    "vanished_limit": "number",
    "keep_versions": "integer",
    "keep_hours": "number",
    "not_treatment": "texts",
    "instruments": "text",
    "accepted": "texts",
    "licences": "texts",
    "t_scores": "text",
    "minimum_caseload": "integer",
    "protocol": "section",
    "lists": "section",
    "alliance_sd": "section",
    "shared": "section",
    "sources": "section",
}
_SOURCE = {
    "format": "text",
    "records": "text",
    "files": "text",
    "exported_at": "text",
    "time_zone": "text",
    "id_space": "text",
    "every": "text",
    "covers": "text",
    "nulls": "words",
    "decimal": "text",
    "encoding": "text",
    "clients": "section",
    "forms": "section",
}
_FORM = {
    "form": "text",
    "instrument": "text",
    "rater": "text or section",
    "items": "texts",
    "completed_at": "text",
    "completed_on": "day",
    "therapist_id": "text",
    "rater_id": "text",
    "appointment_id": "text",
    "seconds": "text",
    "response_id": "text",
    "client_id": "text",
}
_OPTIONAL_COLUMNS = ("therapist_id", "rater_id", "appointment_id", "seconds", "response_id", "client_id")
_CLIENTS = {"birth_date": "text", "sex": "section"}
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
    response_id: str | None = None
    client_id: str | None = None


@dataclass(frozen=True)
class ClientColumns:
    """Which columns of an export describe the client."""

    birth_date: str | None = None
    sex: Words | None = None


@dataclass(frozen=True)
class Source:
    """One section of clinic.toml: files of one shape from one system."""

    name: str
    format: str
    records: str | None
    files: str
    exported_at: str | None
    time_zone: str
    id_space: str
    every: timedelta | None
    covers: str | None  # "all", or days back such as "90 days": a record it should hold and does not has vanished
    nulls: tuple[str, ...]
    decimal: str
    encoding: str
    clients: ClientColumns | None
    forms: tuple[Form, ...]
    section: str  # the section as canonical JSON: part of the reading's fingerprint


@dataclass(frozen=True)
class Clinic:
    """What a clinic has declared."""

    time_zone: str
    schedule: Schedule
    on_failure: str | None
    quarantine_limit: float
    not_treatment: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]
    sources: tuple[Source, ...]
    instruments: Mapping[str, Instrument] = field(repr=False)
    accepted: tuple[str, ...] = ()  # instruments and thresholds whose facts are recalled, by name
    licences: tuple[str, ...] = ()  # instruments whose licence the clinic holds
    t_scores: TScores = NO_T_SCORES
    minimum_caseload: int = MINIMUM_CASELOAD  # clients; no therapist with fewer has a row in therapist tables
    protocol: tuple[Due, ...] = ()  # which questionnaire is due when; empty: wherever the sources bring it
    vanished_limit: float = 0.2
    keep_versions: int = 7
    keep_hours: float = 1.0
    alliance_sd: Mapping[str, float] = field(default_factory=dict)  # of totals, by instrument, for rupture rules
    sharing: Sharing = field(default_factory=Sharing)
    rupture_rules: tuple[RuptureRule, ...] = field(default_factory=read_rupture_rules, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day_of(self, at: datetime) -> date:
        """The clinic's local day at an instant."""
        return at.astimezone(self.zone).date()

    def accepts(self, name: str, origin: Provenance) -> bool:
        """Whether a fact is used: a recalled one only where the clinic file accepts it by name."""
        return origin.status != "recalled" or name in self.accepted

    def why_not_used(self, instrument: Instrument) -> str | None:
        """Why nothing of an instrument becomes a score, not even a given one."""
        if not instrument.scored:
            return f"an event, never a number: {instrument.origin.source}"
        if instrument.licence_needed and instrument.name not in self.licences:
            return "clinic.toml does not confirm its licence (licences)"
        return None

    def why_not_scored(self, instrument: Instrument, scale: Scale) -> str | None:
        """Why no score of a scale is computed from answers."""
        if reason := self.why_not_used(instrument):
            return reason
        if not scale.has_key:
            return f"its key was not found ({scale.key_not_found}): give a score, or a file of the clinic's own"
        if not all(self.accepts(instrument.name, origin) for origin in (instrument.items_origin, scale.origin)):
            return "its key is recalled, not checked, and clinic.toml does not accept it (accepted)"
        parts = [instrument.scale(name) for name in (*scale.adds, *scale.subtracts)]
        return next(filter(None, (self.why_not_scored(instrument, part) for part in parts)), None)

    def missing_rule(self, instrument: Instrument, scale: Scale) -> str:
        """A scale's missing-item rule; in place of a recalled one that is not accepted, complete responses only."""
        return scale.missing if self.accepts(instrument.name, scale.missing_origin) else "complete_only"

    def uses(self, instrument: Instrument, fact: Threshold | Change | Norm | Reliability) -> bool:
        """Whether a threshold, change, norm or reliability is used; a recalled one is accepted as `instrument.name`."""
        return self.accepts(f"{instrument.name}.{fact.name}", fact.origin)


def read_clinic(path: Path) -> Clinic:
    """The clinic file. Raises Unusable with the key and what to do."""
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"clinic file {path.name} cannot be read ({error.strerror}); check --clinic") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"clinic file {path.name} is not TOML: {error}") from None
    try:
        return _clinic(facts, path.parent)
    except ValueError as error:
        raise Unusable(f"clinic file {path.name}: {error}") from None


def _clinic(facts: dict, folder: Path) -> Clinic:
    known("the file", facts, _TOP)
    schedule = schedule_of(facts)
    zone = schedule.zone.key
    own = folder / facts["instruments"] if "instruments" in facts else None
    if own and not own.is_dir():
        raise ValueError(f"instruments = '{facts['instruments']}' is not a folder beside the clinic file")
    instruments = load_instruments(own)
    known("[sources]", facts.get("sources", {}), dict.fromkeys(facts.get("sources", {}), "section"))
    sections = facts.get("sources") or {kind: {"format": "plain"} for kind in PLAIN_KINDS}
    return Clinic(
        time_zone=zone,
        schedule=schedule,
        on_failure=facts.get("on_failure"),
        quarantine_limit=_share("quarantine_limit", facts.get("quarantine_limit", 0.2)),
        not_treatment=tuple(facts.get("not_treatment", ())),
        vanished_limit=_share("vanished_limit", facts.get("vanished_limit", 0.2)),
        keep_versions=_at_least("keep_versions", facts.get("keep_versions", 7), 1),
        keep_hours=_at_least("keep_hours", facts.get("keep_hours", 1.0), 0),
        lists=_lists(facts.get("lists", {})),
        sources=tuple(_source(name, section, zone, instruments) for name, section in sections.items()),
        instruments=instruments,
        accepted=_names("accepted", facts, _acceptable(instruments)),
        licences=_names("licences", facts, instruments),
        t_scores=read_t_scores(folder / facts["t_scores"], instruments) if "t_scores" in facts else NO_T_SCORES,
        minimum_caseload=_at_least_two("minimum_caseload", facts.get("minimum_caseload", MINIMUM_CASELOAD)),
        protocol=read_protocol(facts.get("protocol", {}), instruments),
        alliance_sd=_alliance_sd(facts.get("alliance_sd", {}), instruments),
        sharing=read_sharing(facts.get("shared", {})),
    )


def _alliance_sd(facts: Mapping, instruments: Mapping[str, Instrument]) -> dict[str, float]:
    """Standard deviations of alliance totals, in points, as the clinic states them."""
    totals = {
        name for name, each in instruments.items() if each.construct == "alliance" and "total" in each.scale_names
    }
    known("[alliance_sd]", facts, dict.fromkeys(totals, "number"))
    for name, sd in facts.items():
        if sd <= 0:
            raise ValueError(f"[alliance_sd] {name} = {sd} is not a standard deviation above 0")
    return {name: float(sd) for name, sd in facts.items()}


def _acceptable(instruments: Mapping[str, Instrument]) -> list[str]:
    """What may stand in `accepted`: instruments, and their thresholds, changes, norms and reliabilities."""
    facts = {
        f"{name}.{fact.name}"
        for name, each in instruments.items()
        for fact in (*each.thresholds, *each.changes, *each.norms, *each.reliabilities)
    }
    return [*instruments, *sorted(facts)]


def _names(key: str, facts: Mapping, known_names: Collection[str]) -> tuple[str, ...]:
    for name in facts.get(key, ()):
        if name not in known_names:
            near = difflib.get_close_matches(name, known_names, 1)
            hint = f"did you mean '{near[0]}'?" if near else "INSTRUMENTS.md lists the names"
            raise ValueError(f"{key} names '{name}', which no instrument file has; {hint}")
    return tuple(facts.get(key, ()))


def _source(name: str, section: dict, zone: str, instruments: Mapping[str, Instrument]) -> Source:
    where = f"[sources.{name}]"
    kind = section.get("format", "plain")
    one_of(f"{where} format", kind, FORMATS)
    forms = section if kind == "wide" and "forms" not in section else None
    known(where, section, _SOURCE | _FORM if kind == "wide" else _SOURCE)
    known(f"{where[:-1]}.forms]", section.get("forms", {}), dict.fromkeys(section.get("forms", {}), "section"))
    records = section.get("records", name if name in PLAIN_KINDS else None)
    if kind == "plain":
        one_of(f"{where} records", records, PLAIN_KINDS)
    elif "files" not in section:
        raise ValueError(f"{where} has no key 'files'; add the pattern of its files' names")
    sections = {name: {k: v for k, v in forms.items() if k in _FORM}} if forms else section.get("forms", {})
    return Source(
        name=name,
        format=kind,
        records=records if kind == "plain" else None,
        files=section.get("files", f"{records}*"),
        exported_at=section.get("exported_at"),
        time_zone=zone_name(f"{where} time_zone", section.get("time_zone", zone)),
        id_space=section.get("id_space", "clinic" if kind == "plain" else name),
        every=time_span(f"{where} every", section["every"]) if "every" in section else None,
        covers=_covers(f"{where} covers", section.get("covers"), records if kind == "plain" else "responses"),
        nulls=tuple(str(word) for word in section.get("nulls", ())),
        decimal=one_of(f"{where} decimal", section.get("decimal", "."), (".", ",")),
        encoding=one_of(f"{where} encoding", section.get("encoding", "utf-8"), ENCODINGS),
        clients=_client_columns(where, section.get("clients")),
        forms=tuple(_form(where, form, keys, kind, instruments) for form, keys in sections.items()),
        section=json.dumps(section, sort_keys=True, default=str),
    )


def _form(where: str, name: str, keys: dict, kind: str, instruments: Mapping[str, Instrument]) -> Form:
    where = f"{where[:-1]}.forms.{name}]" if kind == "redcap" else where
    known(where, keys, _FORM, needed=("instrument", "rater", "items", *(("client_id",) if kind == "wide" else ())))
    refuse_versionless(f"{where} instrument", keys["instrument"], instruments)
    one_of(f"{where} instrument", keys["instrument"], tuple(instruments))
    expected = instruments[keys["instrument"]].item_count
    if not expected:
        raise ValueError(
            f"{where} instrument {keys['instrument']} has no items here; bring given scores, or its own file"
        )
    if len(keys["items"]) != expected:
        raise ValueError(f"{where} items names {len(keys['items'])} columns; {keys['instrument']} has {expected} items")
    if "completed_at" in keys and "completed_on" in keys:
        raise ValueError(f"{where} has both 'completed_at' and 'completed_on'; keep one")
    form = keys.get("form", name)
    default_time = f"{form}_timestamp" if kind == "redcap" and "completed_on" not in keys else None
    return Form(
        name=name,
        form=form,
        instrument=keys["instrument"],
        rater=_rater(where, keys["rater"]),
        items=tuple(keys["items"]),
        completed_at=keys.get("completed_at", default_time),
        completed_on=date.fromisoformat(str(keys["completed_on"])).isoformat() if "completed_on" in keys else None,
        **{key: keys.get(key) for key in _OPTIONAL_COLUMNS},
    )


def _client_columns(where: str, keys: dict | None) -> ClientColumns | None:
    if keys is None:
        return None
    where = f"{where[:-1]}.clients]"
    known(where, keys, _CLIENTS)
    sex = _words(f"{where} sex", keys["sex"], SEXES) if "sex" in keys else None
    return ClientColumns(birth_date=keys.get("birth_date"), sex=sex)


def _rater(where: str, rater: str | dict) -> str | Words:
    if isinstance(rater, str):
        return one_of(f"{where} rater", rater, RATERS)
    return _words(f"{where} rater", rater, RATERS)


def _words(where: str, facts: dict, allowed: tuple[str, ...]) -> Words:
    known(where, facts, _WORDS, needed=_WORDS)
    for meaning in facts["words"].values():
        one_of(f"{where} words", meaning, allowed)
    return Words(facts["column"], dict(facts["words"]))


def _share(key: str, share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError(f"{key} = {share} is not a share from 0 to 1")
    return share


def _at_least_two(key: str, count: int) -> int:
    if count < 2:
        raise ValueError(f"{key} = {count} is not a number of clients from 2 up")
    return count


def _at_least(key: str, number: float, least: float) -> float:
    if number < least:
        raise ValueError(f"{key} = {number} is less than {least}")
    return number


def _covers(key: str, text: str | None, records: str) -> str | None:
    """What an export claims to hold: everything, or the records dated in so many days before it was made."""
    if text in (None, "all"):
        return text
    number, _, unit = text.partition(" ")
    if not number.isdigit() or int(number) < 2 or unit != "days":
        raise ValueError(f"{key} = '{text}' is neither 'all' nor a number of days, two or more, such as '90 days'")
    if not KINDS[records].dated_by:
        raise ValueError(f"{key} = '{text}': {records} have no day of their own; use 'all', or leave it out")
    return f"{int(number)} days"


def _lists(facts: dict) -> dict[str, tuple[str, ...]]:
    known("[lists]", facts, dict.fromkeys(TEXTS, "texts"))
    return {text: tuple(facts.get(text, ())) for text in TEXTS}
