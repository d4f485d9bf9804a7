"""The table of reliable changes: what is published, what SD and reliability compute to, and which of them counts."""

from dataclasses import replace

import polars as pl
import pytest

from rapport.transforms.scoring.reliable_changes import reliable_changes
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.instruments.norms import Norm, Reliability
from rapport.warehouse.instruments.provenance import Provenance
from tests.clinics.drawn import clinic

PUBLISHED = Provenance("published", "an invented manual")


def rows(declared: Clinic, instrument: str) -> dict[str, dict]:
    frame = reliable_changes(declared).filter(pl.col("instrument") == instrument).collect()
    assert frame.columns == list(reliable_changes.column_names)
    return {row["change_name"]: row for row in frame.iter_rows(named=True)}


def without_changes(instrument: str, **facts: tuple) -> Clinic:
    declared = clinic()
    changed = replace(declared.instruments[instrument], changes=(), **facts)
    return replace(declared, instruments={**declared.instruments, instrument: changed})


def test_every_row_has_its_own_name_and_the_amount_that_counts_or_why_none_does():
    frame = reliable_changes(clinic()).collect()
    assert not frame.select("instrument", "change_name").is_duplicated().any()
    assert not frame.select("instrument", "scale", "population").is_duplicated().any()
    assert frame.filter((pl.col("used") == "none") != pl.col("used_amount").is_null()).height == 0
    assert frame.filter((pl.col("used") == "none") != pl.col("why_not_used").is_not_null()).height == 0
    assert frame.filter(pl.col("stated_amount").is_not_null() & pl.col("fact_source").is_null()).height == 0


@pytest.mark.parametrize(
    ("instrument", "change", "published", "computed"),
    [("phq9", "nhs", 6, 6.34), ("gad7", "nhs", 4, 4.39), ("gad7", "iapt_5", 5, 4.39)],
)
def test_the_nhs_s_amounts_count_and_what_their_sd_computes_to_stands_beside(instrument, change, published, computed):
    row = rows(clinic(), instrument)[change]
    assert (row["stated_amount"], row["stated_criterion"], row["stated_z"]) == (published, ">=", None)
    assert (row["fact_status"], row["used"], row["used_amount"]) == ("published", "published", published)
    assert (round(row["computed_amount"], 2), row["computed_z"]) == (computed, 1.96)
    assert (row["reliability_kind"], row["computed_status"]) == ("alpha", "recalled")


def test_core_10_s_6_is_computed_with_the_z_that_it_was_published_with():
    """Barkham et al. 2013: SD 7.7, alpha .90; 90 % computes to 5.66, 95 % to 6.75."""
    found = rows(clinic(), "core_10")
    adults, young = found["barkham_2013"], found["nhs_under_18"]
    assert (adults["stated_amount"], adults["stated_z"], adults["used_amount"]) == (6, 1.645, 6)
    assert (round(adults["computed_amount"], 2), adults["computed_z"]) == (5.66, 1.645)
    assert (young["stated_amount"], young["age_to"], round(young["computed_amount"], 2)) == (5, 17, 6.75)
    assert (adults["sd"], adults["reliability"], adults["sample"]) == (7.7, 0.9, "primary care")


def test_the_ors_and_the_cors_have_theirs_by_age():
    amounts = {name: row["used_amount"] for name, row in rows(clinic(), "ors").items()}
    assert amounts == {"adult": 5, "nhs_under_18": 6.6}
    assert rows(clinic(), "cors")["nhs_under_18"]["used_amount"] == 10


def test_the_k10_s_amount_is_local_because_nobody_published_one():
    row = rows(clinic(), "k10_1_to_5")["computed"]
    assert (row["used"], row["used_amount"], row["used_criterion"]) == ("local", 7.65, ">")
    assert round(row["computed_amount"], 2) == 7.65


def test_rcads_amounts_are_of_t_scores_and_nothing_computed_stands_beside_them():
    row = rows(clinic(), "rcads_47")["parent_panic"]
    assert (row["compared"], row["used_amount"], row["for_raters"]) == ("t_score", 40.93, "caregiver")
    assert row["computed_amount"] is None


def test_a_recalled_amount_counts_only_where_the_clinic_accepts_it():
    refused, accepted = (rows(clinic(accepted=names), "wsas")["zahra_2014"] for names in ([], ["wsas.zahra_2014"]))
    assert (refused["used"], refused["used_amount"]) == ("none", None)
    assert "recalled" in refused["why_not_used"]
    assert (accepted["used"], accepted["used_amount"]) == ("published", 8)


def test_without_a_stated_amount_the_computed_one_counts_and_a_change_must_be_greater():
    found = rows(without_changes("core_10"), "core_10")["computed primary_care"]
    assert (found["used"], found["used_criterion"], round(found["used_amount"], 2)) == ("computed", ">", 6.75)
    assert (found["stated_amount"], found["population"]) == (None, "primary care")


def test_computed_from_recalled_facts_it_counts_only_where_both_are_accepted():
    declared = without_changes("phq9")
    for accepted, used in (((), "none"), (("phq9.alpha",), "none"), (("phq9.alpha", "phq9.recalled"), "computed")):
        assert rows(replace(declared, accepted=accepted), "phq9")["computed recalled"]["used"] == used


def test_where_a_sample_has_no_alpha_its_test_retest_reliability_is_taken_and_named():
    norm = Norm("clinic", "total", 20.0, 10.5, 99, "outpatients", PUBLISHED)
    retest = Reliability("retest", "total", "test_retest", 0.961, 0.961, 99, "outpatients", PUBLISHED)
    alpha = replace(retest, name="alpha", kind="alpha", low=0.80, high=0.80)
    found = rows(without_changes("srs", norms=(norm,), reliabilities=(retest,)), "srs")["computed clinic"]
    assert (found["reliability_kind"], round(found["computed_amount"], 6)) == ("test_retest", 5.747681)
    both = rows(without_changes("srs", norms=(norm,), reliabilities=(retest, alpha)), "srs")["computed clinic"]
    assert (both["reliability_kind"], both["reliability"]) == ("alpha", 0.8)


def test_no_alliance_instrument_has_a_row():
    """Ceiling skew violates the model, and there is no consensus SD."""
    declared = clinic()
    named = set(reliable_changes(declared).collect()["instrument"])
    assert not {name for name in named if declared.instruments[name].construct == "alliance"}
