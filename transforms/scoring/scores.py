"""Scores of every scale of every response, by the rule that its authors publish."""

from __future__ import annotations

import polars as pl

from rapport.transforms.scoring.missing_rules import Answers, scored
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments import Instrument, Scale
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    key="response_id scale basis",
    columns=[
        "client_id!",
        "response_id!",
        "session_id",
        "instrument!",
        "scale!",
        "rater!",
        "rater_number!",
        "completed_at",
        "completed_on",
        "score",
        "item_mean",
        "pomp",
        "answered_count",
        "item_count!",
        "rule",
        Column(
            "is_prorated",
            "truth",
            "True when the score was scaled up from fewer answers than the scale has; null without a computed score.",
        ),
        "basis!",
        "is_used!",
    ],
)
def scores(responses: pl.LazyFrame, response_records: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per response and scale. A partial sum is never a total: the score is null where the missing-item rule
    gives none, and where nothing was answered. Instruments whose licence the clinic does not confirm, and scoring keys
    that are recalled and not accepted, have no rows: table scales says why."""
    answered = response_records.select("source", "response_id", "answers", "given_scores").join(
        responses, on=["source", "response_id"]
    )
    present = response_records.select(pl.col("instrument").unique()).collect()["instrument"].to_list()
    computed = [
        _of_instrument(answered.filter(pl.col("instrument") == name), clinic.instruments[name], clinic)
        for name in sorted(set(present) & clinic.instruments.keys())
    ]
    return pl.concat([*computed, _given(answered, clinic)], how="diagonal_relaxed")


_OF_THE_RESPONSE = (
    "client_id",
    "response_id",
    "session_id",
    "instrument",
    "rater",
    "rater_number",
    "completed_at",
    "completed_on",
    "is_used",
)
_has_given = pl.col("given_scores").is_not_null()


def _of_instrument(answered: pl.LazyFrame, instrument: Instrument, clinic: Clinic) -> pl.LazyFrame:
    """Return the rows of one instrument: its scales are computed as columns, and then turned into rows."""
    scales = [scale for scale in instrument.scales if clinic.why_not_scored(instrument, scale) is None]
    made = answered.filter(pl.col("answers").is_not_null() & ~((pl.col("answered_count") == 0) & _has_given))
    if not scales:
        return made.select(_OF_THE_RESPONSE).filter(False)
    made = made.with_columns(**_reversed(instrument))
    for scale in scales:
        made = made.with_columns(_side_by_side(instrument, scale, clinic))
    made = made.cache()
    return pl.concat([made.select(*_OF_THE_RESPONSE, **_line(instrument, scale, clinic)) for scale in scales])


def _reversed(instrument: Instrument) -> dict[str, pl.Expr]:
    return {f"item {number}": _answer(instrument, number) for number in range(1, instrument.item_count + 1)}


def _answer(instrument: Instrument, number: int) -> pl.Expr:
    possible = instrument.range_of_item(number)
    answer = _given_answer(number)
    if number in dict(instrument.skipped):
        beside = _given_answer(dict(instrument.skipped)[number])
        answer = pl.when(answer.is_null() & (beside == instrument.minimum)).then(possible.minimum).otherwise(answer)
    return possible.minimum + possible.maximum - answer if number in instrument.reversed else answer


def _given_answer(number: int) -> pl.Expr:
    # Answers are kept in 32 bits: unrounded, 9.1 + 8.7 + 9.2 + 9.0 on the SRS would be below its cut-off 36.
    return pl.col("answers").list.get(number - 1, null_on_oob=True).cast(pl.Float64).round(4)


def _side_by_side(instrument: Instrument, scale: Scale, clinic: Clinic) -> list[pl.Expr]:
    made = _of_scales(scale) if scale.adds else _of_items(instrument, scale, clinic)
    return [expression.alias(f"{scale.name} {name}") for name, expression in made.items()]


def _of_items(instrument: Instrument, scale: Scale, clinic: Clinic) -> dict[str, pl.Expr]:
    blank_count = pl.lit(instrument.item_count, dtype=pl.Int32) - pl.col("answered_count")
    answers = Answers([pl.col(f"item {number}") for number in scale.items], blank_count)
    return scored(scale, clinic.missing_rule(instrument, scale), answers)


def _of_scales(scale: Scale) -> dict[str, pl.Expr]:
    """Return the score of a scale that adds and subtracts other scales: null where one of them is null."""
    plus, minus = (
        [pl.col(f"{part} score") for part in scale.adds],
        [-pl.col(f"{part} score") for part in scale.subtracts],
    )
    parts = [*scale.adds, *scale.subtracts]
    total = pl.when(pl.all_horizontal(each.is_not_null() for each in (*plus, *minus))).then(
        pl.sum_horizontal(*plus, *minus).round(6)
    )
    counts = {
        name: pl.sum_horizontal(pl.col(f"{part} {name}") for part in parts) for name in ("answered_count", "item_count")
    }
    means = pl.sum_horizontal(pl.col(f"{part} item_mean") * pl.col(f"{part} item_count") for part in parts)
    has_item_mean = scale.score == "sum" and not scale.subtracts
    mean = (means / counts["item_count"]).round(9) if has_item_mean else pl.lit(None, dtype=pl.Float64)
    return {
        "score": total,
        "item_mean": pl.when(total.is_not_null()).then(mean),
        **counts,
        "is_prorated": pl.when(total.is_not_null()).then(
            pl.any_horizontal(pl.col(f"{part} is_prorated") for part in parts)
        ),
    }


def _line(instrument: Instrument, scale: Scale, clinic: Clinic) -> dict[str, pl.Expr]:
    columns = ("score", "item_mean", "answered_count", "item_count", "is_prorated")
    return {
        **{name: pl.col(f"{scale.name} {name}") for name in columns},
        "scale": pl.lit(scale.name),
        "pomp": _pomp(instrument, scale),
        "rule": pl.lit(clinic.missing_rule(instrument, scale)),
        "basis": pl.lit("computed"),
    }


def _pomp(instrument: Instrument, scale: Scale) -> pl.Expr:
    """Return percent of maximum on the range of the items that apply: without work the WSAS ends at 32."""
    low, high = instrument.range_of(scale)
    assert low is not None and high is not None, f"scale {scale.name} of {instrument.name} has no range"
    low, high = float(low), float(high)
    score = pl.col(f"{scale.name} score")
    if scale.missing == "wsas_retired":
        applies = pl.col(f"{scale.name} item_count") / len(scale.items)
        return (100 * (score - low * applies) / ((high - low) * applies)).round(9)
    return (100 * (score - low) / (high - low)).round(9)


def _given(answered: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return the scores that exports contain. Their scoring key is not Rapport's, so a missing key does not matter."""
    used = [each for each in clinic.instruments.values() if clinic.why_not_used(each) is None]
    schema = {"instrument": pl.String, "scale": pl.String, "size": pl.Int32, "low": pl.Float64, "high": pl.Float64}
    sizes = pl.LazyFrame([_size(each, scale) for each in used for scale in each.scales], schema=schema, orient="row")
    return (
        answered.filter(_has_given)
        .explode("given_scores")
        .unnest("given_scores")
        .join(sizes, on=["instrument", "scale"])
        .with_columns(
            item_mean=pl.lit(None, dtype=pl.Float64),
            pomp=(100 * (pl.col("score") - pl.col("low")) / (pl.col("high") - pl.col("low"))).round(9),
            answered_count=pl.lit(None, dtype=pl.Int32),
            item_count="size",
            rule=pl.lit(None, dtype=pl.String),
            is_prorated=pl.lit(None, dtype=pl.Boolean),
            basis=pl.lit("given"),
        )
    )


def _size(instrument: Instrument, scale: Scale) -> tuple[object, ...]:
    ends = (None if end is None else float(end) for end in instrument.range_of(scale))
    return (instrument.name, scale.name, scale.item_count, *ends)
