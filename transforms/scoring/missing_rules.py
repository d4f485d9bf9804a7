"""Missing-item rules: the score of a scale when answers are missing. Each rule names its source.

A rule computes the score of a scale from its answers (already reversed) and counts the answers behind it. A partial sum
is never a total, and without any answer there is no score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from rapport.warehouse.instruments.missing import rule_and_parameter
from rapport.warehouse.instruments.scales import Scale


@dataclass(frozen=True)
class Answers:
    """A scale's answers, one expression per item, and the number of unanswered items of the whole questionnaire."""

    items: list[pl.Expr]
    blank_count: pl.Expr

    @property
    def size(self) -> int:
        return len(self.items)

    @property
    def answered(self) -> pl.Expr:
        return pl.sum_horizontal(item.is_not_null().cast(pl.Int32) for item in self.items)

    @property
    def total(self) -> pl.Expr:
        """The sum of the answers. Rounded, because polars adds one row and many rows by different machine code."""
        return pl.sum_horizontal(self.items).round(6)

    @property
    def mean(self) -> pl.Expr:
        return pl.when(self.answered > 0).then(self.total / self.answered)


def scored(scale: Scale, rule: str, answers: Answers) -> dict[str, pl.Expr]:
    """Return a scale's score and mean by a rule (null where it gives none), the answers behind them, and is_prorated.

    Two of three items are answered, and the rule asks for two: 3 + 4 are scaled up to three items.

    >>> scale = Scale("total", "Three items.", items=(1, 2, 3), score="sum", missing="prorate_min(2)")
    >>> answers = Answers([pl.lit(3), pl.lit(None, pl.Int64), pl.lit(4)], blank_count=pl.lit(1))
    >>> pl.select(**scored(scale, scale.missing, answers)).row(0, named=True)["score"]
    10.5
    """
    name, parameter = rule_and_parameter(rule)
    total, size = _RULES[name](answers, parameter or 0)
    rounded = _half_away(total) if scale.rounding else total
    # Only the sum is rounded: the mean of a prorated, rounded sum is the mean of the answers.
    mean = pl.when(total.is_not_null()).then((total / size).round(9))
    return {
        "score": (rounded.round(6) if scale.score == "sum" else mean),
        "item_mean": mean,
        "answered_count": answers.answered.cast(pl.Int32),
        "item_count": size.cast(pl.Int32),
        "is_prorated": pl.when(total.is_not_null()).then(answers.answered < size),
    }


def _half_away(number: pl.Expr) -> pl.Expr:
    """Round half away from zero, as people do by hand: 2.5 gives 3, 6.5 gives 7."""
    return number.round(9).round(0, mode="half_away_from_zero")


def _if_at_least(answers: Answers, least: int) -> tuple[pl.Expr, pl.Expr]:
    """Return the sum and mean, scaled up from the answers to all items, if there are at least `least` answers."""
    enough = answers.answered >= max(least, 1)
    return pl.when(enough).then(answers.total * answers.size / answers.answered), _whole(answers)


def _whole(answers: Answers) -> pl.Expr:
    return pl.lit(answers.size, dtype=pl.Int32)


def _complete_only(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    return pl.when(answers.answered == answers.size).then(answers.total), _whole(answers)


def _prorate_min(answers: Answers, least: int) -> tuple[pl.Expr, pl.Expr]:
    return _if_at_least(answers, least)


def _phqa_dsm5(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """DSM-5 severity measure, child 11-17: no score where three or more of nine are missing."""
    return _if_at_least(answers, answers.size - 2)


def _sdq(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """Goodman 2014: at least three of a scale's five answers."""
    return _if_at_least(answers, 3)


def _core10(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """CORE System Trust: at most one missing answer."""
    return _if_at_least(answers, answers.size - 1)


def _rcads(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """At most two missing answers per scale."""
    return _if_at_least(answers, answers.size - 2)


def _ptpb85(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """PTPB manual: the mean of the answers, if at least 85 % of the items are answered."""
    return _if_at_least(answers, _share(answers, 85))


def _mean80(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """At least 80 % of the items: a scale of four needs all four answers, since three are 75 %."""
    return _if_at_least(answers, _share(answers, 80))


def _share(answers: Answers, percent: int) -> int:
    return -(-answers.size * percent // 100)


def _oq45(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """OQ Measures: a blank counts as the rounded mean of the scale's other items; with five blanks there is no
    score."""
    blanks = answers.size - answers.answered
    filled = answers.total + blanks * _half_away(answers.mean)
    return pl.when((answers.answered > 0) & (answers.blank_count < 5)).then(filled), _whole(answers)


def _wsas_retired(answers: Answers, _: int) -> tuple[pl.Expr, pl.Expr]:
    """CamCOPS: without item 1 (no work) the sum of items 2-5, at most 32."""
    retired = answers.items[0].is_null()
    size = pl.when(retired).then(answers.size - 1).otherwise(answers.size)
    return pl.when(answers.answered == size).then(answers.total), size


_RULES: dict[str, Callable[[Answers, int], tuple[pl.Expr, pl.Expr]]] = {
    "complete_only": _complete_only,
    "prorate_min": _prorate_min,
    "phqa_dsm5": _phqa_dsm5,
    "sdq": _sdq,
    "core10": _core10,
    "oq45": _oq45,
    "wsas_retired": _wsas_retired,
    "rcads": _rcads,
    "ptpb85": _ptpb85,
    "mean80": _mean80,
}
