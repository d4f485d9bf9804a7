"""The agreement of the six definitions of dropout with each other, in this clinic."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import polars as pl

from rapport.transforms.engagement.retention import DEFINITIONS
from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.frames.typed_rows import frame_of_rows
from rapport.transforms.statistics.estimates import first_of_clients
from rapport.warehouse.schema.columns import NO_WIDTH, Column
from rapport.warehouse.schema.tables import table

_COUNTS = {
    "both_count": (True, True),
    "first_only_count": (True, False),
    "second_only_count": (False, True),
    "neither_count": (False, False),
}


@table(
    per="clinic",
    key="definition other_definition",
    columns=[
        Column(
            "definition", "text", "A definition of dropout: see table retention.", required=True, one_of=DEFINITIONS
        ),
        Column("other_definition", "text", "The one it is compared with.", required=True, one_of=DEFINITIONS),
        Column(
            "compared_count",
            "integer",
            "Clients, each with the first episode that both can assess.",
            required=True,
            between=(0, None),
        ),
        Column("both_count", "integer", "Dropouts by both.", required=True, between=(0, None)),
        Column("first_only_count", "integer", "Dropouts by the first alone.", required=True, between=(0, None)),
        Column("second_only_count", "integer", "Dropouts by the other alone.", required=True, between=(0, None)),
        Column("neither_count", "integer", "Dropouts by neither.", required=True, between=(0, None)),
        Column("agreement_share", "number", "Share on which both agree; null without clients.", between=(0, 1)),
        Column(
            "kappa",
            "number",
            "Agreement beyond chance, (p - e) / (1 - e), Cohen 1960, Educ Psychol Meas 20:37-46: 1 is perfect, 0 is "
            "chance. Null where one definition gives the same result for all clients. With rare dropout kappa is low "
            "even where the two agree on nearly all: read it together with the counts.",
            between=(-1, 1),
        ),
        "low",
        "high",
    ],
)
def dropout_agreement(retention: pl.LazyFrame) -> pl.LazyFrame:
    """One row per pair of dropout definitions: the counts of dropouts by each, and kappa with its 95 % interval. The
    interval is null where they agree on all clients. Each client counts once, with the first episode that both can
    assess."""
    flags = (f"is_dropout_{name}" for name in DEFINITIONS)
    known = (
        retention.select("client_id", "episode_number", *flags).with_columns(as_numbers("client_id")).collect().lazy()
    )
    rows = [_row(*pair, _counts(known, *pair)) for pair in combinations(DEFINITIONS, 2)]
    return frame_of_rows(dropout_agreement, rows)


def _counts(known: pl.LazyFrame, one: str, other: str) -> dict[str, int]:
    first, second = pl.col(f"is_dropout_{one}"), pl.col(f"is_dropout_{other}")
    counted = first_of_clients(known.filter(first.is_not_null(), second.is_not_null())).select(
        ((first == is_first) & (second == is_second)).sum().alias(name)
        for name, (is_first, is_second) in _COUNTS.items()
    )
    return counted.collect().row(0, named=True)


def _row(one: str, other: str, counts: dict[str, int]) -> Mapping[str, object]:
    total, same = sum(counts.values()), counts["both_count"] + counts["neither_count"]
    return {
        "definition": one,
        "other_definition": other,
        "compared_count": total,
        **counts,
        "agreement_share": round(same / total, 9) if total else None,
        **(_kappa(**counts) if _can_differ(**counts) else {}),
    }


def _can_differ(both_count: int, first_only_count: int, second_only_count: int, neither_count: int) -> bool:
    """Return whether each of the two definitions has both dropouts and others."""
    first, second = both_count + first_only_count, both_count + second_only_count
    total = first + second_only_count + neither_count
    return 0 < first < total and 0 < second < total


def _kappa(both_count: int, first_only_count: int, second_only_count: int, neither_count: int) -> Mapping[str, object]:
    from statsmodels.stats.inter_rater import cohens_kappa  # noqa: PLC0415  costly to import

    found = cohens_kappa([[both_count, first_only_count], [second_only_count, neither_count]])
    kappa, low, high = map(float, (found.kappa, max(found.kappa_low, -1.0), min(found.kappa_upp, 1.0)))
    ends = {"low": round(low, 9), "high": round(high, 9)} if high - low > NO_WIDTH else {}
    return {"kappa": round(kappa, 9), **ends}
