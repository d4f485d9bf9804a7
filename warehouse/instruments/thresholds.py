"""What a score means: cut-offs and bands by population, reliable change, and answers that tell of risk."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rapport.warehouse.instruments.comparisons import Comparison, comparison
from rapport.warehouse.instruments.provenance import ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.instruments.scales import numbers
from rapport.warehouse.schema.columns import RATERS, SEXES
from rapport.warehouse.toml_keys import known, one_of

# What a threshold is compared with: the score; the T-score of a table that the clinic supplies; the scale's lowest
# item; or the score minus the rater's last one.
OF = ("score", "t_score", "lowest_item", "change")
CRITERIA = (">=", ">")
_WHOM = {"population": "text", "age_from": "age", "age_to": "age", "sex": "text", "respondents": "texts"}
_THRESHOLD_KEYS = {"scale": "text", "scheme": "text", "of": "text", "case": "text", "bands": "section"}
_CHANGE_KEYS = {"scale": "text", "of": "text", "amount": "answer", "criterion": "text", "z": "answer"}
_RISK_KEYS = {"items": "integers", "at": "text"}


@dataclass(frozen=True)
class Population:
    """For whom a number holds; what is empty holds for everybody."""

    text: str
    age_from: int | None = None
    age_to: int | None = None
    sex: str = ""
    respondents: tuple[str, ...] = ()

    @property
    def needs_age(self) -> bool:
        return self.age_from is not None or self.age_to is not None


@dataclass(frozen=True)
class Threshold:
    """A cut-off, or bands, or both. Bands are in ascending order: the last one that holds is the score's."""

    name: str
    scale: str
    scheme: str
    of: str
    case: Comparison | None
    bands: tuple[tuple[str, Comparison], ...]
    population: Population
    origin: Provenance


@dataclass(frozen=True)
class Change:
    """How much a score must change to be more than error. z is null where the publication does not say it."""

    name: str
    scale: str
    of: str
    amount: float
    criterion: str
    z: float | None
    population: Population
    origin: Provenance


@dataclass(frozen=True)
class Risk:
    """Items whose answer tells of risk, from which answer on."""

    name: str
    items: tuple[int, ...]
    at: Comparison
    origin: Provenance


def read_thresholds(facts: Mapping, scales: Collection[str], default: Provenance) -> tuple[Threshold, ...]:
    known("[thresholds]", facts, dict.fromkeys(facts, "section"))
    return tuple(_threshold(name, rules, scales, default) for name, rules in facts.items())


def _threshold(name: str, rules: Mapping, scales: Collection[str], default: Provenance) -> Threshold:
    where = f"[thresholds.{name}]"
    known(where, rules, _THRESHOLD_KEYS | _WHOM | ORIGIN_KEYS, needed=("scale", "population"))
    if "case" not in rules and "bands" not in rules:
        raise ValueError(f"{where} has neither 'case' nor 'bands'; add one")
    bands = tuple((word, comparison(f"{where} bands {word}", text)) for word, text in rules.get("bands", {}).items())
    if any(band.operator not in CRITERIA for _, band in bands) or not _ascend(bands):
        raise ValueError(f"{where} bands must begin with > or >=, the lowest first")
    return Threshold(
        name=name,
        scale=one_of(f"{where} scale", rules["scale"], scales),
        scheme=rules.get("scheme", name),
        of=one_of(f"{where} of", rules.get("of", "score"), OF),
        case=comparison(f"{where} case", rules["case"]) if "case" in rules else None,
        bands=bands,
        population=_population(where, rules),
        origin=provenance(where, rules, default),
    )


def _ascend(bands: tuple[tuple[str, Comparison], ...]) -> bool:
    starts = [band.value for _, band in bands]
    return starts == sorted(set(starts))


def _population(where: str, rules: Mapping) -> Population:
    for respondent in rules.get("respondents", ()):
        one_of(f"{where} respondents", respondent, RATERS)
    if "sex" in rules:
        one_of(f"{where} sex", rules["sex"], SEXES)
    if rules.get("age_from", 0) > rules.get("age_to", 200):
        raise ValueError(f"{where} age_from must not be above age_to")
    return Population(
        rules["population"],
        rules.get("age_from"),
        rules.get("age_to"),
        rules.get("sex", ""),
        tuple(rules.get("respondents", ())),
    )


def read_changes(facts: Mapping, scales: Collection[str], default: Provenance) -> tuple[Change, ...]:
    known("[reliable_change]", facts, dict.fromkeys(facts, "section"))
    return tuple(_change(name, rules, scales, default) for name, rules in facts.items())


def _change(name: str, rules: Mapping, scales: Collection[str], default: Provenance) -> Change:
    where = f"[reliable_change.{name}]"
    needed = ("scale", "amount", "criterion", "population")
    known(where, rules, _CHANGE_KEYS | _WHOM | ORIGIN_KEYS, needed=needed)
    if not rules["amount"] > 0:
        raise ValueError(f"{where} amount must be above 0")
    return Change(
        name=name,
        scale=one_of(f"{where} scale", rules["scale"], scales),
        of=one_of(f"{where} of", rules.get("of", "score"), ("score", "t_score")),
        amount=float(rules["amount"]),
        criterion=one_of(f"{where} criterion", rules["criterion"], CRITERIA),
        z=rules.get("z"),
        population=_population(where, rules),
        origin=provenance(where, rules, default),
    )


def read_risks(facts: Mapping, item_count: int, default: Provenance) -> tuple[Risk, ...]:
    known("[risk]", facts, dict.fromkeys(facts, "section"))
    return tuple(_risk(name, rules, item_count, default) for name, rules in facts.items())


def _risk(name: str, rules: Mapping, item_count: int, default: Provenance) -> Risk:
    where = f"[risk.{name}]"
    known(where, rules, _RISK_KEYS | ORIGIN_KEYS, needed=_RISK_KEYS)
    items = numbers(f"{where} items", rules["items"], item_count)
    return Risk(name, items, comparison(f"{where} at", rules["at"]), provenance(where, rules, default))
