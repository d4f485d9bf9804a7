"""Motivation, alliance and staying across clients."""

import polars as pl
import pytest

from rapport.transforms.links.motivation_links import motivation_links


def links(count: int) -> dict[tuple, dict]:
    """Clients whose alliance is their early change plus 1 for every other one; those with a gap below 0 mostly stay."""
    rows = [
        {
            "client_id": f"c{at}",
            "episode_id": f"e{at}",
            "instrument": "myts",
            "scale": "total",
            "client_early_change": float(at),
            "caregiver_early_change": 5.0,
            "first_gap": -10.0 if at % 2 else 10.0,
            "gap_change": None,
            "client_alliance": at + at % 2,
            "caregiver_alliance": None,
        }
        for at in range(count)
    ]
    types = {name: pl.Float64 for name in rows[0] if name not in ("client_id", "episode_id", "instrument", "scale")}
    motivation = pl.DataFrame(rows, schema_overrides=types).lazy()
    stayed = [bool(at % 2) != (at % 10 == 0) for at in range(count)]
    episodes = {"episode_id": [f"e{at}" for at in range(count)], "episode_number": [1] * count}
    retention = pl.LazyFrame(episodes | {"has_more_than_four": stayed})
    made = motivation_links(motivation, retention).collect()
    return {(row["motivation"], row["linked"]): row for row in made.iter_rows(named=True)}


def test_the_correlation_and_the_log_odds_are_those_of_the_data():
    """Alliance is change, or change + 1. Every client with a gap of -10 stays, and 6 of 30 with +10."""
    found = links(60)
    assert found["client_early_change", "client_alliance"]["estimate"] == pytest.approx(1, abs=0.01)
    assert found["first_gap", "more_than_four"]["linked_count"] == 60


@pytest.mark.parametrize(
    ("pair", "count"),
    [
        (("client_early_change", "client_alliance"), 29),  # too few
        (("caregiver_early_change", "client_alliance"), 60),  # never varies
        (("gap_change", "more_than_four"), 60),  # not known
    ],
)
def test_what_cannot_be_said_is_null(pair, count):
    assert links(count)[pair]["estimate"] is None


def test_every_scale_has_every_pair():
    assert len(links(5)) == 12
