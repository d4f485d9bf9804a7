"""The meaning of scores: cut-offs and bands by population, reliable change, and risk items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.instruments.comparisons import Comparison, comparison
from rapport.warehouse.instruments.provenance import Provenance, provenance
from rapport.warehouse.instruments.scales import numbers
from rapport.warehouse.schema.columns import CRITERIA
from rapport.warehouse.toml_keys.keys import in_order, keys_of, read
from rapport.warehouse.toml_keys.kinds import one_of

Facts = Mapping[str, object]


@dataclass(frozen=True)
class Population:
    """The people for whom a fact holds. An empty field means no restriction."""

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
    """A cut-off, or bands, or both. Bands are in ascending order: the last one that a score reaches is its band."""

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
    """The least change of a score beyond error. z is None where the publication does not state it."""

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
    """Risk items, and the answer from which they indicate risk."""

    name: str
    items: tuple[int, ...]
    at: Comparison
    origin: Provenance


def read_thresholds(facts: Mapping[str, Facts], scales: Collection[str], default: Provenance) -> tuple[Threshold, ...]:
    """Return the thresholds in section [thresholds]. Raises ValueError with the key."""
    return tuple(_threshold(name, rules, scales, default) for name, rules in facts.items())


def _threshold(name: str, rules: Facts, scales: Collection[str], default: Provenance) -> Threshold:
    where = f"[thresholds.{name}]"
    told = read(where, rules, keys_of("threshold", "population", "origin"))
    if told["case"] is None and "bands" not in rules:
        raise ValueError(f"{where} has neither 'case' nor 'bands'; add one")
    bands = tuple((word, comparison(f"{where} bands {word}", text)) for word, text in told["bands"].items())
    if any(band.operator not in CRITERIA for _, band in bands) or not _ascend(bands):
        raise ValueError(f"{where} bands must begin with > or >=, the lowest first")
    return Threshold(
        name=name,
        scale=one_of(f"{where} scale", told["scale"], scales),
        scheme=told["scheme"] or name,
        of=told["of"],
        case=None if told["case"] is None else comparison(f"{where} case", told["case"]),
        bands=bands,
        population=_population(where, told),
        origin=provenance(told, default),
    )


def _ascend(bands: tuple[tuple[str, Comparison], ...]) -> bool:
    starts = [band.value for _, band in bands]
    return starts == sorted(set(starts))


def _population(where: str, told: Mapping[str, Any]) -> Population:
    in_order(where, told, "age_from", "age_to")
    return Population(*(told[key] for key in keys_of("population")))


def read_changes(facts: Mapping[str, Facts], scales: Collection[str], default: Provenance) -> tuple[Change, ...]:
    """Return the changes in section [reliable_change]. Raises ValueError with the key."""
    return tuple(_change(name, rules, scales, default) for name, rules in facts.items())


def _change(name: str, rules: Facts, scales: Collection[str], default: Provenance) -> Change:
    where = f"[reliable_change.{name}]"
    told = read(where, rules, keys_of("change", "population", "origin"))
    if not told["amount"] > 0:
        raise ValueError(f"{where} amount must be above 0")
    return Change(
        name=name,
        scale=one_of(f"{where} scale", told["scale"], scales),
        of=told["of"],
        amount=float(told["amount"]),
        criterion=told["criterion"],
        z=told["z"],
        population=_population(where, told),
        origin=provenance(told, default),
    )


def read_risks(facts: Mapping[str, Facts], item_count: int, default: Provenance) -> tuple[Risk, ...]:
    """Return the risk items in section [risk]. Raises ValueError with the key."""
    return tuple(_risk(name, rules, item_count, default) for name, rules in facts.items())


def _risk(name: str, rules: Facts, item_count: int, default: Provenance) -> Risk:
    where = f"[risk.{name}]"
    told = read(where, rules, keys_of("risk", "origin"))
    items = numbers(f"{where} items", told["items"], item_count)
    return Risk(name, items, comparison(f"{where} at", told["at"]), provenance(told, default))
