"""Estimates stand on the clients who carry them, and nothing without an error or a width is published."""

from datetime import UTC, datetime

import polars as pl
import pytest

from rapport.warehouse.schema.columns import NO_ESTIMATE, NO_WIDTH
from tests.clinics.drawn import clinic
from tests.clinics.keyed import FROM_RECORDS, tables_of
from tests.clinics.trap_clinics import crowded, weekly

TODAY = datetime(2026, 6, 1, tzinfo=UTC)
TRAP = weekly({f"c{at:02d}": 2 for at in range(29)} | {"long": 10})
CLINICS = {
    "29 clients with two sessions and one with ten": TRAP,
    "one client with forty sessions beside 35 with three": weekly({f"c{at:02d}": 3 for at in range(35)} | {"long": 40}),
    "all answer the same": weekly({f"c{at:02d}": 5 for at in range(40)}, spread=0),
    "two clients": weekly({"ann": 6, "bob": 6}),
    "two sessions at one start": crowded(32),
}
PER_CLINIC = [table for table in FROM_RECORDS if table.per == "clinic"]


@pytest.fixture(scope="module", params=CLINICS)
def made(request) -> dict[str, pl.DataFrame]:
    return tables_of(CLINICS[request.param], clinic(minimum_caseload=2), TODAY)


def ends_of(frame: pl.DataFrame) -> list[tuple[str, str]]:
    """The columns that are the two ends of an interval."""
    pairs = [(name, name.replace("low", "high")) for name in frame.columns if "low" in name.split("_")]
    return [(low, high) for low, high in pairs if high in frame.columns]


def test_nothing_with_an_error_of_0_or_an_interval_without_width_is_published(made):
    for table in PER_CLINIC:
        frame = made[table.name]
        for error in (name for name in frame.columns if name.endswith("_error")):
            assert frame.filter(pl.col(error) <= NO_WIDTH / 2).is_empty(), (table.name, error)
        for low, high in ends_of(frame):
            assert frame.filter(pl.col(high) - pl.col(low) < NO_WIDTH).is_empty(), (table.name, low)
            assert frame.filter(pl.col(high).is_null() != pl.col(low).is_null()).is_empty(), (table.name, low)


def test_the_columns_that_are_looked_at_are_there(made):
    looked_at = {table.name for table in PER_CLINIC if ends_of(made[table.name])}
    assert looked_at == {
        "alliance_outcome_links", "dropout_agreement", "funnel_limits", "mean_progress", "motivation_links",
        "proportions", "responsiveness_links", "retention_curves", "therapist_effects", "therapist_variances",
    }  # fmt: skip


def test_an_estimate_or_the_reason_why_there_is_none(made):
    for name in ("alliance_outcome_links", "motivation_links", "responsiveness_links", "therapist_effects"):
        frame = made[name]
        estimate = pl.col("shrunken_effect" if name == "therapist_effects" else "estimate")
        assert frame.filter(estimate.is_null() != pl.col("why_no_estimate").is_not_null()).is_empty(), name
        assert set(frame["why_no_estimate"].drop_nulls()) <= set(NO_ESTIMATE)


def links(records: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    return tables_of(records, clinic(), TODAY)["alliance_outcome_links"]


def test_twenty_nine_clients_with_one_pair_and_one_with_nine_are_one_client():
    """They were published as 30 persons, with a standard error of 0."""
    told = links(TRAP).filter(pl.col("link") != "between")
    assert told.height == 6
    assert told.select("client_count", "linked_count", "adjacent_count").unique().rows() == [(1, 1, 9)]
    assert told["estimate"].null_count() == 6
    assert set(told["why_no_estimate"]) == {"fewer than 30 clients"}


@pytest.fixture(scope="module")
def twice() -> dict[str, pl.DataFrame]:
    """35 clients with two episodes each, of four sessions, each with two therapists."""
    return tables_of(weekly({f"c{at:02d}{more}": 4 for at in range(35) for more in ("", " again")}), clinic(), TODAY)


def one(frame: pl.DataFrame, **where: object) -> dict:
    return frame.filter(**where).row(0, named=True)


@pytest.mark.parametrize(
    ("table", "where", "counted"),
    [
        ("alliance_outcome_links", {"model": "lagged"}, {"linked_count": 70, "client_count": 35}),
        ("alliance_outcome_links", {"model": "lagged"}, {"degrees_of_freedom": 34}),
        ("alliance_outcome_links", {"link": "between"}, {"linked_count": 35, "client_count": 35}),
        ("responsiveness_links", {"predictor": "responsiveness_proxy"}, {"linked_count": 35}),
        ("dropout_agreement", {"definition": "below_median", "other_definition": "below_dose"}, {"compared_count": 35}),
        ("retention_curves", {"curve": "missed_last", "session_number": 1}, {"at_risk_count": 35}),
        ("mean_progress", {"instrument": "ors"}, {"first_count": 70, "paired_count": 70, "client_count": 35}),
        ("proportions", {"measure": "more_than_four", "quarter": "all"}, {"denominator_count": 70, "client_count": 35}),
        ("proportions", {"measure": "attendance", "quarter": "all"}, {"denominator_count": 280, "client_count": 35}),
        ("proportions", {"measure": "questionnaire_received", "quarter": "all"}, {"client_count": None}),
        ("alliance_grand_means", {"instrument": "srs"}, {"dyad_count": 140, "client_count": 35}),
        ("therapist_variances", {"measure": "early_alliance"}, {"therapist_count": 70, "client_count": 35}),
    ],
)  # fmt: skip
def test_every_n_counts_clients_once(twice, table, where, counted):
    row = one(twice[table], **where)
    assert {name: row[name] for name in counted} == counted
