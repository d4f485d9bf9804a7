"""Norms and reliabilities, each with its sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rapport.warehouse.instruments.provenance import Provenance, but_for_origin, provenance
from rapport.warehouse.toml_keys.keys import keys_of, read
from rapport.warehouse.toml_keys.kinds import one_of

Facts = Mapping[str, object]


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a sample; n is None where it is not known."""

    name: str
    scale: str
    mean: float | None
    sd: float | None
    n: int | None
    sample: str
    origin: Provenance


@dataclass(frozen=True)
class Reliability:
    """A reliability coefficient, or the range over several samples."""

    name: str
    scale: str
    kind: str
    low: float
    high: float
    n: int | None
    sample: str
    origin: Provenance


def read_norms(facts: Mapping[str, Facts], scales: Collection[str], default: Provenance) -> tuple[Norm, ...]:
    """Return the norms in section [norms]. Raises ValueError with the key."""
    return tuple(_norm(name, rules, scales, default) for name, rules in facts.items())


def _norm(name: str, rules: Facts, scales: Collection[str], default: Provenance) -> Norm:
    told = read(f"[norms.{name}]", rules, keys_of("norm", "origin"))
    one_of(f"[norms.{name}] scale", told["scale"], scales)
    return Norm(name=name, origin=provenance(told, default), **but_for_origin(told))


def read_reliabilities(
    facts: Mapping[str, Facts], scales: Collection[str], default: Provenance
) -> tuple[Reliability, ...]:
    """Return the coefficients in section [reliability]. Raises ValueError with the key."""
    return tuple(_reliability(name, rules, scales, default) for name, rules in facts.items())


def _reliability(name: str, rules: Facts, scales: Collection[str], default: Provenance) -> Reliability:
    where = f"[reliability.{name}]"
    told = read(where, rules, keys_of("reliability", "origin"))
    one_of(f"{where} scale", told["scale"], scales)
    value = told.pop("value")
    low, high = (value if told[end] is None else told[end] for end in ("low", "high"))
    if low is None or high is None or not -1 <= low <= high <= 1:
        raise ValueError(f"{where} needs 'value', or 'low' and 'high', within -1 and 1")
    return Reliability(
        name=name, origin=provenance(told, default), **{**but_for_origin(told), "low": low, "high": high}
    )
