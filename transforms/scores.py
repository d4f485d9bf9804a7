"""Scores: every scale of every response, by the rule its authors publish."""

from __future__ import annotations

import polars as pl

from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.instruments import Instrument, Scale
from warehouse.tables import table


@table(
    key="response_id scale basis",
    columns=[
        "client_id!",
        "response_id!",
        "session_id",
        "instrument!",
        "scale!",
        "rater!",
        "completed_at",
        "completed_on",
        "score",
        "item_mean",
        "answered_count",
        "item_count!",
        "rule",
        Column(
            "basis",
            "text",
            "Computed from the answers, or given: it arrived already made. The two are never mixed.",
            required=True,
            one_of=("computed", "given"),
        ),
        "is_used!",
    ],
)
def scores(responses: pl.LazyFrame, response_records: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per response and scale. A partial sum is never a total: where the missing-item rule gives no score it
    is null, and so it is where nothing was answered."""
    answered = response_records.select("source", "response_id", "answers", "given_scores").join(
        responses, on=["source", "response_id"]
    )
    computed = [
        frame
        for instrument in clinic.instruments.values()
        for frame in _of_instrument(answered.filter(pl.col("instrument") == instrument.name), instrument)
    ]
    return pl.concat([*computed, _given(answered, clinic)], how="diagonal_relaxed")


def _of_instrument(answered: pl.LazyFrame, instrument: Instrument) -> list[pl.LazyFrame]:
    made = answered.filter(pl.col("answers").is_not_null() & ~((pl.col("answered_count") == 0) & _has_given))
    return [made.with_columns(**_scored(instrument, scale)) for scale in instrument.scales]


_has_given = pl.col("given_scores").is_not_null()


def _scored(instrument: Instrument, scale: Scale) -> dict[str, pl.Expr]:
    """`complete_only`: a score only when every item of the scale is answered."""
    answers = [_answer(instrument, number) for number in scale.items]
    count = pl.sum_horizontal(answer.is_not_null().cast(pl.Int32) for answer in answers)
    total = pl.when(count == len(scale.items)).then(pl.sum_horizontal(answers).round(6))
    mean = (total / len(scale.items)).round(9)  # polars divides one row and many by different machine code
    return {
        "scale": pl.lit(scale.name),
        "score": total if scale.score == "sum" else mean,
        "item_mean": mean,
        "answered_count": count.cast(pl.Int32),
        "item_count": pl.lit(len(scale.items), dtype=pl.Int32),
        "rule": pl.lit(scale.missing),
        "basis": pl.lit("computed"),
    }


def _answer(instrument: Instrument, number: int) -> pl.Expr:
    # Answers are kept in 32 bits: unrounded, 9.1 + 8.7 + 9.2 + 9.0 on the SRS would fall short of its cut-off 36.
    answer = pl.col("answers").list.get(number - 1, null_on_oob=True).cast(pl.Float64).round(4)
    return instrument.minimum + instrument.maximum - answer if number in instrument.reversed else answer


def _given(answered: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    sizes = pl.DataFrame(
        [(i.name, s.name, len(s.items)) for i in clinic.instruments.values() for s in i.scales],
        schema={"instrument": pl.String, "scale": pl.String, "scale_size": pl.Int32},
        orient="row",
    ).lazy()
    return (
        answered.filter(_has_given)
        .explode("given_scores")
        .unnest("given_scores")
        .join(sizes, on=["instrument", "scale"])
        .with_columns(answered_count=pl.lit(None, dtype=pl.Int32), item_count="scale_size", basis=pl.lit("given"))
    )
