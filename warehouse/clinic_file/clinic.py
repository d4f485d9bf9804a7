"""The clinic file, clinic.toml: read once, or refused with the key and the reason.

An unknown key is refused, so that a misspelled key is never ignored in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rapport.warehouse.clinic_file.client_links import NO_LINKS, ClientLinks, read_client_links
from rapport.warehouse.clinic_file.hiding import SharedRules, read_shared_rules
from rapport.warehouse.clinic_file.id_spaces import NO_SPACES, Spaces
from rapport.warehouse.clinic_file.memory import memory_of, usual_memory
from rapport.warehouse.clinic_file.monitoring import Monitoring, monitoring_of
from rapport.warehouse.clinic_file.protocol import Due, read_protocol
from rapport.warehouse.clinic_file.rupture_rules import RuptureRule, read_rupture_rules
from rapport.warehouse.clinic_file.schedule import Schedule, schedule_of
from rapport.warehouse.clinic_file.sources import PLAIN_KINDS, Source, read_source
from rapport.warehouse.clinic_file.spaces_section import read_spaces
from rapport.warehouse.code_marks import registry
from rapport.warehouse.instruments import Instrument, Scale, load_instruments
from rapport.warehouse.instruments.norms import Norm, Reliability
from rapport.warehouse.instruments.provenance import Provenance
from rapport.warehouse.instruments.t_scores import NO_T_SCORES, TScores, read_t_scores
from rapport.warehouse.instruments.thresholds import Change, Threshold
from rapport.warehouse.schema.questions import ALL, PLACES
from rapport.warehouse.toml_files import read_toml, refusing
from rapport.warehouse.toml_keys.keys import TOP, Key, keys_of, read
from rapport.warehouse.toml_keys.kinds import nearest

TEXTS = tuple(keys_of("lists"))  # the columns with a list of allowed texts
INTERNAL = tuple(keys_of("internal"))  # pages of DIR/internal
_USUAL = registry({name: key.default for name, key in keys_of("clinic").items()})


@dataclass(frozen=True)
class Clinic:
    """The declarations of a clinic."""

    time_zone: str
    schedule: Schedule
    monitoring: Monitoring
    quarantine_limit: float
    not_treatment: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]
    sources: tuple[Source, ...]
    instruments: Mapping[str, Instrument] = field(repr=False)
    accepted: tuple[str, ...] = ()  # instruments and thresholds whose facts are recalled, by name
    licences: tuple[str, ...] = ()  # instruments whose licence the clinic holds
    t_scores: TScores = NO_T_SCORES
    client_links: ClientLinks = NO_LINKS  # record numbers of several systems that belong to one person
    sources_of_people: tuple[str, ...] = ()  # sources whose rater_id is always the same person (rater_is_person)
    spaces: Spaces = NO_SPACES  # the id spaces of the sources' record numbers, now and before
    cancellation_notice_hours: float = _USUAL[
        "cancellation_notice_hours"
    ]  # a client who cancels with less cancels late
    minimum_caseload: int = _USUAL["minimum_caseload"]  # clients; no therapist with fewer has a row in therapist tables
    protocol: tuple[Due, ...] = ()  # which questionnaire is due when; empty: every one in the exports is due
    quarantine_minimum: int = _USUAL["quarantine_minimum"]  # records of a source tonight, before its limit counts
    vanished_limit: float = _USUAL["vanished_limit"]
    record_years_back: int = _USUAL["record_years_back"]  # a record's time may lie so long before its export
    record_years_ahead: int = _USUAL["record_years_ahead"]  # and so long after it
    keep_versions: int = _USUAL["keep_versions"]
    keep_hours: float = _USUAL["keep_hours"]
    years_after_closing: int | None = None  # how long a closed episode is kept; None: for ever
    alliance_sd: Mapping[str, float] = field(default_factory=dict)  # SDs of totals, by instrument, for rupture rules
    sharing: SharedRules = field(default_factory=lambda: read_shared_rules({}))
    names_its_sources: bool = True  # else its sources are those of the plain format, and none of them need come
    internal: Mapping[str, str] = field(default_factory=dict)  # page -> its group of staff who may open records
    rupture_rules: tuple[RuptureRule, ...] = field(default_factory=read_rupture_rules, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def visit_sources(self) -> tuple[str, ...]:
        """The names of the sources whose lines are visits."""
        return tuple(source.name for source in self.sources if source.lines == "visits")

    def day_of(self, at: datetime) -> date:
        """Return the clinic's local day at an instant."""
        return at.astimezone(self.zone).date()

    def accepts(self, name: str, origin: Provenance) -> bool:
        """Return whether a fact is used: a recalled one only where the clinic file accepts it by name."""
        return origin.status != "recalled" or name in self.accepted

    def why_not_used(self, instrument: Instrument) -> str | None:
        """Return why an instrument has no scores at all, not even given ones; None where it has."""
        if not instrument.scored:
            return f"an event, never a number: {instrument.origin.source}"
        if instrument.licence_needed and instrument.name not in self.licences:
            return "clinic.toml does not confirm its licence (licences)"
        return None

    def why_not_scored(self, instrument: Instrument, scale: Scale) -> str | None:
        """Return why no score of a scale is computed from answers; None where scores are computed."""
        if reason := self.why_not_used(instrument):
            return reason
        if not scale.has_key:
            return f"its key was not found ({scale.key_not_found}): give a score, or a file of the clinic's own"
        if not all(self.accepts(instrument.name, origin) for origin in (instrument.items_origin, scale.origin)):
            return "its key is recalled, not checked, and clinic.toml does not accept it (accepted)"
        parts = [instrument.scale(name) for name in (*scale.adds, *scale.subtracts)]
        return next(filter(None, (self.why_not_scored(instrument, part) for part in parts)), None)

    def missing_rule(self, instrument: Instrument, scale: Scale) -> str:
        """Return a scale's missing-item rule. In place of a recalled rule that is not accepted: complete_only."""
        return scale.missing if self.accepts(instrument.name, scale.missing_origin) else "complete_only"

    def uses(self, instrument: Instrument, fact: Threshold | Change | Norm | Reliability) -> bool:
        """Return whether a threshold, change, norm or reliability is used. A recalled one is accepted by the name
        `instrument.name`."""
        return self.accepts(f"{instrument.name}.{fact.name}", fact.origin)


def read_clinic(path: Path) -> Clinic:
    """Return the clinic file's declarations. Raises Unusable with the key and what to do."""
    facts = read_toml(path, "clinic file", "check --clinic")
    with refusing(f"clinic file {path.name}"):
        return clinic_of(facts, path.parent)


def clinic_of(facts: dict[str, Any], folder: Path) -> Clinic:
    """Return the declarations from the file's facts. Files that it names lie in `folder`. Raises ValueError with the
    key."""
    told = read(TOP, facts, keys_of("clinic", "schedule", "monitoring"))
    schedule = schedule_of(facts)
    zone = schedule.zone.key
    own = told["instruments"] and folder / told["instruments"]
    if own and not own.is_dir():
        raise ValueError(f"instruments = '{told['instruments']}' is not a folder beside the clinic file")
    instruments = load_instruments(own)
    memory = memory_of("memory", told["memory"]) if told["memory"] else usual_memory()
    sections = told["sources"] or {kind: {"format": "plain"} for kind in PLAIN_KINDS}
    sources = tuple(read_source(name, each, zone, instruments, memory) for name, each in sections.items())
    spaces = read_spaces(told["spaces"], told["retired_spaces"], [source.id_space for source in sources])
    as_told = (
        *("quarantine_limit", "not_treatment", "vanished_limit", "keep_versions", "keep_hours", "minimum_caseload"),
        *("quarantine_minimum", "record_years_back", "record_years_ahead"),
    )
    return Clinic(
        time_zone=zone,
        schedule=schedule,
        monitoring=monitoring_of(told, folder),
        years_after_closing=told["keep"]["years_after_closing"],
        lists=_lists(told["lists"]),
        sources=sources,
        instruments=instruments,
        accepted=_names("accepted", told, _acceptable(instruments)),
        licences=_names("licences", told, instruments),
        t_scores=read_t_scores(folder / told["t_scores"], instruments) if told["t_scores"] else NO_T_SCORES,
        client_links=read_client_links(
            folder / told["client_links"] if told["client_links"] else None,
            spaces,
            folder / told["merged_clients"] if told["merged_clients"] else None,
        ),
        spaces=spaces,
        cancellation_notice_hours=told["cancellation_notice_hours"],
        sources_of_people=tuple(sorted(each.name for each in sources if each.rater_is_person)),
        protocol=read_protocol(told["protocol"], instruments),
        alliance_sd=_alliance_sd(told["alliance_sd"], instruments),
        sharing=read_shared_rules(facts.get("shared", {})),
        names_its_sources=bool(told["sources"]),
        internal={page: group for page, group in told["internal"].items() if group},
        **{key: told[key] for key in as_told},
    )


def _alliance_sd(told: Mapping[str, float], instruments: Mapping[str, Instrument]) -> dict[str, float]:
    """Return the standard deviations of alliance totals, in points, that the clinic states."""
    totals = {
        name for name, each in instruments.items() if each.construct == "alliance" and "total" in each.scale_names
    }
    read("[alliance_sd]", told, dict.fromkeys(totals, Key("deviation", "A standard deviation in points.", "4.5")))
    return {name: float(sd) for name, sd in told.items()}


def _acceptable(instruments: Mapping[str, Instrument]) -> list[str]:
    """Return the names that `accepted` may list: instruments, and their thresholds, changes, norms and
    reliabilities."""
    parts: dict[str, tuple[Threshold | Change | Norm | Reliability, ...]] = {
        name: (*each.thresholds, *each.changes, *each.norms, *each.reliabilities) for name, each in instruments.items()
    }
    return [*instruments, *sorted(f"{name}.{fact.name}" for name, facts in parts.items() for fact in facts)]


def _names(key: str, told: Mapping[str, Any], known_names: Collection[str]) -> tuple[str, ...]:
    names: tuple[str, ...] = told[key]
    for name in names:
        if name not in known_names:
            hint = nearest(name, known_names, "INSTRUMENTS.md lists the names")
            raise ValueError(f"{key} names '{name}', which no instrument file has; {hint}")
    return names


def _lists(told: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for text in PLACES:
        if ALL in told[text]:
            raise ValueError(
                f"[lists] {text} names '{ALL}', which means all values on pages and in questions; give it another name"
            )
    return told
