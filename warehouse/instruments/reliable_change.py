"""Reliable and clinically significant change, computed: Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19.

The error of a change is the error of a difference (Christensen & Mendoza 1986). The formula of 1984, which is still in
use, divides by the standard error of measurement instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from rapport.warehouse.instruments.instrument import Instrument
from rapport.warehouse.instruments.norms import Norm, Reliability

Z_95, Z_90 = 1.96, 1.645


def standard_error(sd: float, reliability: float) -> float:
    """Return the standard error of one measurement."""
    return sd * sqrt(1 - reliability)


def error_of_difference(sd: float, reliability: float) -> float:
    """Return the standard error of the difference of two measurements."""
    return sd * sqrt(2 * (1 - reliability))


def reliable_change(sd: float, reliability: float, z: float) -> float:
    """Return the least change of a score beyond error. `z`: 1.96 for 95 %, 1.645 for 90 %."""
    return z * error_of_difference(sd, reliability)


def cut_off_c(well: tuple[float, float], ill: tuple[float, float]) -> float:
    """Return the cut-off between the means of two groups (mean, SD). It is nearer to the group with the smaller SD."""
    (well_mean, well_sd), (ill_mean, ill_sd) = well, ill
    return (ill_sd * well_mean + well_sd * ill_mean) / (ill_sd + well_sd)


@dataclass(frozen=True)
class Computed:
    """Reliable change from a sample's SD and reliability, in addition to the published value."""

    scale: str
    norm: Norm
    sd: float  # of the norm
    reliability: Reliability

    def at(self, z: float) -> float:
        return reliable_change(self.sd, self.reliability.low, z)

    @property
    def at_95(self) -> float:
        return self.at(Z_95)

    @property
    def at_90(self) -> float:
        return self.at(Z_90)


def computed_changes(instrument: Instrument) -> list[Computed]:
    """Return the change for every sample with SD and reliability: by alpha where it is stated, else by test-retest.

    Alpha fits the error of the model (Evans); Jacobson & Truax used test-retest.
    """
    return [
        Computed(norm.scale, norm, norm.sd, reliability)
        for norm in instrument.norms
        if norm.sd
        for reliability in _of_sample(instrument, norm)[:1]
    ]


def _of_sample(instrument: Instrument, norm: Norm) -> list[Reliability]:
    return sorted(
        (
            each
            for each in instrument.reliabilities
            if each.kind in _PREFERRED and each.low == each.high
            if (each.scale, each.sample) == (norm.scale, norm.sample)
        ),
        key=lambda each: _PREFERRED.index(each.kind),
    )


_PREFERRED = ("alpha", "test_retest")
