"""The clinic's file: clinic.toml, read once, refused with the key and the reason.

Every key is named here; an unknown one is refused, so a misspelled key never does nothing silently.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rapport.warehouse.clinic_file.client_links import NO_LINKS, ClientLinks, read_client_links
from rapport.warehouse.clinic_file.hiding import ALL, Sharing, read_sharing
from rapport.warehouse.clinic_file.id_spaces import NO_SPACES, Spaces, read_spaces
from rapport.warehouse.clinic_file.memory import memory_of, usual_memory
from rapport.warehouse.clinic_file.monitoring import KEYS as MONITORING
from rapport.warehouse.clinic_file.monitoring import Monitoring, monitoring_of
from rapport.warehouse.clinic_file.protocol import Due, read_protocol
from rapport.warehouse.clinic_file.rupture_rules import RuptureRule, read_rupture_rules
from rapport.warehouse.clinic_file.schedule import KEYS as SCHEDULE
from rapport.warehouse.clinic_file.schedule import Schedule, schedule_of
from rapport.warehouse.clinic_file.sources import PLAIN_KINDS, Source, read_source
from rapport.warehouse.clinic_file.statuses import NOTICE_HOURS
from rapport.warehouse.instruments import Instrument, Scale, load_instruments
from rapport.warehouse.instruments.norms import Norm, Reliability
from rapport.warehouse.instruments.provenance import Provenance
from rapport.warehouse.instruments.t_scores import NO_T_SCORES, TScores, read_t_scores
from rapport.warehouse.instruments.thresholds import Change, Threshold
from rapport.warehouse.toml_files import read_toml, refusing
from rapport.warehouse.toml_keys import known

TEXTS = ("service", "modality", "site", "program", "presenting_problem", "referral_source")
INTERNAL = ("operations",)  # pages of DIR/internal
MINIMUM_CASELOAD = 15  # clients; the lower end of what is asked for before therapists are told apart (15 to 30)
MOST_YEARS = 100  # that anything is kept, where it is not kept for ever
# Every key, with its kind of value.
_TOP = {
    "time_zone": "text",
    **SCHEDULE,
    **MONITORING,
    "quarantine_limit": "number",
    "vanished_limit": "number",
    "keep_versions": "count",
    "keep_hours": "hours",
    "memory": "text",
    "keep": "section",
    "not_treatment": "texts",
    "instruments": "path",
    "accepted": "texts",
    "licences": "texts",
    "t_scores": "path",
    "client_links": "path",
    "retired_spaces": "texts",
    "spaces": "section",
    "minimum_caseload": "count",
    "cancellation_notice_hours": "hours",
    "protocol": "section",
    "lists": "section",
    "alliance_sd": "section",
    "shared": "section",
    "internal": "section",
    "sources": "section",
}


@dataclass(frozen=True)
class Clinic:
    """What a clinic has declared."""

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
    client_links: ClientLinks = NO_LINKS  # record numbers of several systems that are one person's
    spaces: Spaces = NO_SPACES  # whose record numbers the sources have, or had
    cancellation_notice_hours: float = NOTICE_HOURS  # a client who cancels with less cancels late
    minimum_caseload: int = MINIMUM_CASELOAD  # clients; no therapist with fewer has a row in therapist tables
    protocol: tuple[Due, ...] = ()  # which questionnaire is due when; empty: wherever the sources bring it
    vanished_limit: float = 0.2
    keep_versions: int = 7
    keep_hours: float = 1.0
    years_after_closing: int | None = None  # that a closed episode is kept; None: for ever
    alliance_sd: Mapping[str, float] = field(default_factory=dict)  # of totals, by instrument, for rupture rules
    sharing: Sharing = field(default_factory=Sharing)
    internal: Mapping[str, str] = field(default_factory=dict)  # the group of each page for staff who may open records
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
    facts = read_toml(path, "clinic file", "check --clinic")
    with refusing(f"clinic file {path.name}"):
        return _clinic(facts, path.parent)


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
    memory = memory_of("memory", facts["memory"]) if "memory" in facts else usual_memory()
    sources = tuple(
        replace(read_source(name, section, zone, instruments), memory=memory) for name, section in sections.items()
    )
    used = [source.id_space for source in sources]
    spaces = read_spaces(facts.get("spaces", {}), facts.get("retired_spaces", ()), used)
    return Clinic(
        time_zone=zone,
        schedule=schedule,
        monitoring=monitoring_of(facts, folder),
        quarantine_limit=_share("quarantine_limit", facts.get("quarantine_limit", 0.2)),
        not_treatment=tuple(facts.get("not_treatment", ())),
        vanished_limit=_share("vanished_limit", facts.get("vanished_limit", 0.2)),
        keep_versions=facts.get("keep_versions", 7),
        keep_hours=facts.get("keep_hours", 1.0),
        years_after_closing=_years_after_closing(facts.get("keep", {})),
        lists=_lists(facts.get("lists", {})),
        sources=sources,
        instruments=instruments,
        accepted=_names("accepted", facts, _acceptable(instruments)),
        licences=_names("licences", facts, instruments),
        t_scores=read_t_scores(folder / facts["t_scores"], instruments) if "t_scores" in facts else NO_T_SCORES,
        client_links=read_client_links(folder / facts["client_links"], spaces) if "client_links" in facts else NO_LINKS,
        spaces=spaces,
        minimum_caseload=_at_least_two("minimum_caseload", facts.get("minimum_caseload", MINIMUM_CASELOAD)),
        cancellation_notice_hours=facts.get("cancellation_notice_hours", NOTICE_HOURS),
        protocol=read_protocol(facts.get("protocol", {}), instruments),
        alliance_sd=_alliance_sd(facts.get("alliance_sd", {}), instruments),
        sharing=read_sharing(facts.get("shared", {})),
        internal=_internal(facts.get("internal", {})),
    )


def _internal(facts: Mapping) -> dict[str, str]:
    known("[internal]", facts, dict.fromkeys(INTERNAL, "text"))
    return dict(facts)


def _years_after_closing(facts: Mapping) -> int | None:
    known("[keep]", facts, {"years_after_closing": "integer"})
    years = facts.get("years_after_closing")
    if years is not None and not 1 <= years <= MOST_YEARS:
        raise ValueError(f"[keep] years_after_closing = {years} is not a number of years from 1 to {MOST_YEARS}")
    return years


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


def _share(key: str, share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError(f"{key} = {share} is not a share from 0 to 1")
    return share


def _at_least_two(key: str, count: int) -> int:
    if count < 2:
        raise ValueError(f"{key} = {count} is not a number of clients from 2 up")
    return count


def _lists(facts: dict) -> dict[str, tuple[str, ...]]:
    known("[lists]", facts, dict.fromkeys(TEXTS, "texts"))
    for text in ("site", "program"):
        if ALL in facts.get(text, ()):
            raise ValueError(
                f"[lists] {text} names '{ALL}', which pages and questions call all of them; name it otherwise"
            )
    return {text: tuple(facts.get(text, ())) for text in TEXTS}
