"""Norms and reliabilities, each with its sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rapport.warehouse.instruments.provenance import ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.toml_keys import known, one_of

RELIABILITIES = ("alpha", "test_retest", "icc")
_NORM_KEYS = {"scale": "text", "mean": "answer", "sd": "answer", "n": "count", "sample": "text"} | ORIGIN_KEYS
_RELIABILITY_KEYS = {
    "scale": "text",
    "kind": "text",
    "value": "answer",
    "low": "answer",
    "high": "answer",
    "n": "count",
    "sample": "text",
} | ORIGIN_KEYS


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a sample; n is null where it was not seen."""

    name: str
    scale: str
    mean: float | None
    sd: float | None
    n: int | None
    sample: str
    origin: Provenance


@dataclass(frozen=True)
class Reliability:
    """A coefficient, or the range that several samples gave."""

    name: str
    scale: str
    kind: str
    low: float
    high: float
    n: int | None
    sample: str
    origin: Provenance


def read_norms(facts: Mapping, scales: Collection[str], default: Provenance) -> tuple[Norm, ...]:
    known("[norms]", facts, dict.fromkeys(facts, "section"))
    return tuple(_norm(name, rules, scales, default) for name, rules in facts.items())


def _norm(name: str, rules: Mapping, scales: Collection[str], default: Provenance) -> Norm:
    where = f"[norms.{name}]"
    known(where, rules, _NORM_KEYS, needed=("scale", "sample"))
    scale = one_of(f"{where} scale", rules["scale"], scales)
    if rules.get("sd", 1) <= 0:
        raise ValueError(f"{where} sd = {rules['sd']} is not a standard deviation above 0")
    numbers = (rules.get("mean"), rules.get("sd"), rules.get("n"))
    return Norm(name, scale, *numbers, rules["sample"], provenance(where, rules, default))


def read_reliabilities(facts: Mapping, scales: Collection[str], default: Provenance) -> tuple[Reliability, ...]:
    known("[reliability]", facts, dict.fromkeys(facts, "section"))
    return tuple(_reliability(name, rules, scales, default) for name, rules in facts.items())


def _reliability(name: str, rules: Mapping, scales: Collection[str], default: Provenance) -> Reliability:
    where = f"[reliability.{name}]"
    known(where, rules, _RELIABILITY_KEYS, needed=("scale", "kind", "sample"))
    low, high = rules.get("low", rules.get("value")), rules.get("high", rules.get("value"))
    if low is None or high is None or not -1 <= low <= high <= 1:
        raise ValueError(f"{where} needs 'value', or 'low' and 'high', within -1 and 1")
    return Reliability(
        name=name,
        scale=one_of(f"{where} scale", rules["scale"], scales),
        kind=one_of(f"{where} kind", rules["kind"], RELIABILITIES),
        low=low,
        high=high,
        n=rules.get("n"),
        sample=rules["sample"],
        origin=provenance(where, rules, default),
    )
