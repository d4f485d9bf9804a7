"""A clinic table in two parts: however clients are dealt into buckets, in any order, the same rows are finished."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from rapport import transforms
from rapport.flows.demo.course import PLANTED
from rapport.flows.demo.simulated import AS_OF, declared, simulated
from rapport.transforms.links.motivation_links import ALLIANCES, PREDICTORS
from rapport.warehouse.clinic_file.protocol import Due
from rapport.warehouse.schema.tables import PARTIALS

IN_TWO_PARTS = [table for table in transforms.tables() if table.partial]
PROTOCOLS = {
    "nothing declared": (),
    "declared": (Due("srs", "client", first=2, every=2), Due("ors", "client", age_to=17, since=date(2026, 1, 1))),
}
FACTS = ("clinic", "as_of")
CLIENTS = 60


@cache
def finished_tables() -> dict[str, pl.DataFrame]:
    """The tables of a simulated clinic, in which nobody fills in a motivation scale: that table is drawn."""
    known = {**simulated(11, PLANTED, CLIENTS, 3).records, "clinic": declared(), "as_of": AS_OF}
    for table in transforms.tables():
        known[table.name] = transforms.compute(table, known).lazy()
    known["motivation"] = _motivation(known["retention"].collect()).lazy()
    read = {name for table in IN_TWO_PARTS for name in table.read_by_bucket} - {*FACTS}
    return {name: known[name].collect() for name in read}


def _motivation(retention: pl.DataFrame) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    values = {name: rng.uniform(0, 100, retention.height) for name in (*PREDICTORS, *ALLIANCES)}
    return retention.select("client_id", "episode_id", instrument=pl.lit("myts"), scale=pl.lit("total"), **values)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
@pytest.mark.parametrize("table", IN_TWO_PARTS, ids=lambda table: table.name)
@settings(max_examples=15)
@given(bucket_of=st.lists(st.integers(0, 4), min_size=CLIENTS, max_size=CLIENTS), order=st.permutations(range(5)))
def test_partials_of_any_buckets_in_any_order_finish_to_the_rows_of_everybody(table, protocol, bucket_of, order):
    facts = {"clinic": replace(declared(), protocol=protocol), "as_of": AS_OF}
    tables = finished_tables()
    clients = sorted(set().union(*(tables[name]["client_id"].unique() for name in tables)))
    dealt = pl.DataFrame({"client_id": clients, "bucket": bucket_of[: len(clients)]})
    partials = []
    for bucket in order:
        its_own = dealt.filter(pl.col("bucket") == bucket)
        known = {name: frame.join(its_own, on="client_id", how="semi").lazy() for name, frame in tables.items()}
        partials.append(table.partial_of(facts | known).collect())
    made = transforms.compute(table, {**facts, PARTIALS: pl.concat(partials).lazy()})
    whole = transforms.compute(table, facts | {name: frame.lazy() for name, frame in tables.items()})
    assert made.height
    assert_frame_equal(made, whole, check_row_order=False, check_exact=True)


@pytest.mark.parametrize("table", IN_TWO_PARTS, ids=lambda table: table.name)
def test_a_partial_reads_only_tables_of_clients(table):
    """A bucket is a range of client_id: what has none cannot be read bucket by bucket."""
    named = {each.name: each for each in transforms.tables()}
    assert all("client_id" in named[name].column_names for name in table.read_by_bucket if name not in FACTS)
