"""Survival: Kaplan-Meier with Greenwood's error, and cumulative incidence where planned endings compete."""

import polars as pl
import pytest

from rapport.transforms.engagement.retention_curves import CENSORED, DROPOUT, PLANNED, survival
from tests.clinics.drawn import computed

# Freireich et al. 1963, 6-MP arm: weeks of remission, + is censored.
FREIREICH = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"


def followed(text: str) -> pl.DataFrame:
    """Times; + is censored, p a planned ending, else dropout."""
    events = {"+": CENSORED, "p": PLANNED}
    rows = [(int(each.rstrip("+p")), events.get(each[-1], DROPOUT)) for each in text.split()]
    return pl.DataFrame(rows, schema={"time": pl.Int32, "event": pl.Int8}, orient="row")


def test_kaplan_meier_and_greenwood_are_those_of_freireich_s_6_mp_arm():
    """Tied at weeks 6 and 10, the censored stay at risk."""
    made = survival(followed(FREIREICH)).filter(pl.col("dropout_count") > 0)
    assert made["session_number"].to_list() == [6, 7, 10, 13, 16, 22, 23]
    assert made["at_risk_count"].to_list() == [21, 17, 15, 12, 11, 7, 6]
    assert made["staying_share"].round(3).to_list() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert made["staying_error"].round(3).to_list() == [0.076, 0.087, 0.096, 0.107, 0.114, 0.128, 0.135]


def test_the_curve_stands_between_events_and_has_a_row_for_every_number():
    made = survival(followed(FREIREICH))
    assert made["session_number"].to_list() == list(range(1, 36))
    assert made["staying_share"].to_list()[:6] == [1.0] * 5 + [round(18 / 21, 9)]
    assert made.filter(session_number=35)["staying_share"].round(3).item() == 0.448
    counts = made.select(pl.sum_horizontal("dropout_count", "planned_count", "censored_count")).sum().item()
    assert counts == 21


def test_without_competing_endings_incidence_is_one_minus_survival():
    made = survival(followed(FREIREICH))
    assert (made["dropout_incidence_share"] + made["staying_share"] - 1).abs().max() < 1e-9
    assert made["planned_incidence_share"].to_list() == [0.0] * 35


def test_where_planned_endings_compete_one_minus_survival_overstates_dropout():
    """By hand: 4 at risk, a dropout (1/4), a planned ending (3/4 x 1/3), a dropout (1/2 x 1/2)."""
    made = survival(followed("1 2p 3 4+"))
    assert made["dropout_incidence_share"].to_list() == [0.25, 0.25, 0.5, 0.5]
    assert made["planned_incidence_share"].to_list() == [0.0, 0.25, 0.25, 0.25]
    assert made["staying_share"].round(3).to_list() == [0.75, 0.75, 0.375, 0.375]


def test_once_nobody_is_left_the_share_is_0_and_its_error_is_not_known():
    last = survival(followed("1 2")).row(-1, named=True)
    assert (last["staying_share"], last["staying_error"], last["low"], last["high"]) == (0.0, None, None, None)


def test_the_interval_lies_around_the_share_and_within_0_and_1():
    made = survival(followed(FREIREICH)).filter(pl.col("low").is_not_null())
    assert made.height == 30
    assert made.filter(~pl.col("staying_share").is_between("low", "high")).height == 0
    assert made.select(pl.col("low").min() > 0, pl.col("high").max() < 1).row(0) == (True, True)


def test_before_the_first_dropout_there_is_no_interval():
    assert survival(followed("1+ 2"))["low"].to_list()[0] is None


@pytest.mark.parametrize(("curve", "dropouts"), [("judged", 1), ("unilateral", 2), ("missed_last", 0)])
def test_each_definition_has_a_curve_of_its_own(curve, dropouts):
    endings = {"ann": "dropout", "bob": "client_ended", "cem": "planned"}
    given = ["episode_id | client_id | opened_on | closed_on | closure"]
    given += [f"e-{name} | {name} | 2026-03-01 | 2026-05-01 | {closure}" for name, closure in endings.items()]
    held = ["session_id | client_id | starts_at"]
    held += [f"s-{name} | {name} | 2026-03-02 15:00" for name in endings]
    made = computed(appointments="\n".join(held), episodes="\n".join(given))["retention_curves"]
    whole = made.filter(curve=curve, grouping="all")
    assert whole.select("group_name", "session_number", "dropout_count").rows() == [("all", 1, dropouts)]


def test_a_derived_episode_has_no_closure_and_so_no_curve_by_judgement():
    made = computed(appointments="session_id | starts_at\ns1 | 2026-03-02 15:00")["retention_curves"]
    assert set(made["curve"]) == {"missed_last"}
