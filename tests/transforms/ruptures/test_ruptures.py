"""Possible ruptures: each rule at its edges; merged, never closed by silence, and never changed once over."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from rapport.transforms.ruptures.rupture_starts import around, sudden_loss
from rapport.warehouse.clinic_file.rupture_rules import FILE, read_rupture_rules
from rapport.warehouse.errors import Unusable
from tests.clinics.drawn import clinic, computed, lines, seen

HEADER = "response_id | instrument | rater | appointment_session_id | answers"
RULES = read_rupture_rules()


def course(*totals: float | None, accepted=(), therapists: str | None = None, **more) -> pl.DataFrame:
    """`ruptures` of SRS totals in daily sessions; None is a session without a rating."""
    who = therapists or "t" * len(totals)
    sessions = [f"s{n:02} | 2026-01-{n:02} 15:00 | {who[n - 1]}" for n in range(1, len(totals) + 1)]
    answers = [
        f"r{n:02} | srs | client | s{n:02} | {_lines(total)}" for n, total in enumerate(totals, 1) if total is not None
    ]
    made = computed(
        clinic(accepted=accepted, **more),
        appointments="\n".join(["session_id | starts_at | therapist_id", *sessions]),
        responses="\n".join([HEADER, *answers]),
    )
    return made["ruptures"].sort("rupture_rule", "start_session_id")


def _lines(total: float) -> str:
    return " ".join([f"{total / 4:.4f}"] * 4)


def by(rule: str, *totals: float | None, **more) -> list[tuple]:
    """start, nadir, length, repaired, repair, over of the rule's possible ruptures, sessions as numbers."""
    found = course(*totals, **more).filter(pl.col("rupture_rule") == rule)
    return [
        (
            int(row["start_session_id"][1:]),
            row["nadir_value"],
            row["length"],
            row["is_repaired"],
            row["repair_session_id"] and int(row["repair_session_id"][1:]),
            row["is_over"],
        )
        for row in found.rows(named=True)
    ]


def test_36_is_not_below_the_srs_cut_off():
    """OpenFIT: 36 and above is green."""
    assert by("srs_cut_off", 38, 36, 35.9, 36) == [(3, 35.9, 1, True, 4, True)]


def test_consecutive_sessions_below_are_one_possible_rupture_with_its_lowest_point():
    assert by("srs_cut_off", 38, 35, 31, 31, 34, 37) == [(2, 31, 4, True, 6, True)]
    assert course(38, 35, 31, 31, 34, 37).filter(rupture_rule="srs_cut_off")["nadir_session_id"].item() == "s03"


def test_a_session_without_a_rating_is_no_recovery():
    assert by("srs_cut_off", 38, 35, None, 34, 37) == [(2, 34, 2, True, 5, True)]
    assert by("srs_cut_off", 38, 35, None, None) == [(2, 35, 1, None, None, False)]


def test_where_the_record_ends_first_whether_it_was_repaired_is_not_known():
    assert by("srs_cut_off", 38, 35, 34) == [(2, 34, 2, None, None, False)]


def test_six_rated_sessions_without_repair_are_none_even_if_one_comes_later():
    below = [30] * 6
    assert by("srs_cut_off", 38, *below, 30) == [(2, 30, 7, False, None, False)]
    assert by("srs_cut_off", 38, *below, 37) == [(2, 30, 6, True, 8, True)]
    assert by("srs_cut_off", 38, *below, 30, 37) == [(2, 30, 7, False, 9, True)]


def test_the_first_rating_can_be_below_and_then_nothing_is_known_of_before():
    expected = "pre_value | nadir_value | depth\n | 35 |"
    assert seen(course(35, 37).filter(rupture_rule="srs_cut_off"), expected) == lines(expected)


def test_a_drop_of_exactly_one_point_counts_and_its_repair_is_the_level_before():
    """OpenFIT SRSChangeFromLast <= -1."""
    assert by("srs_drop_1", 38, 37, 37.9, 38) == [(2, 37, 2, True, 4, True)]
    assert by("srs_drop_1", 38, 37.1, 38) == []


def test_a_second_drop_before_the_repair_belongs_to_the_first():
    assert by("srs_drop_1", 38, 36, 37.5, 34, 38, 36) == [(2, 34, 3, True, 5, True), (6, 36, 1, None, None, False)]


def test_a_drop_is_from_the_last_rating_even_across_sessions_without_one():
    assert by("srs_drop_1", 38, None, 36) == [(3, 36, 1, None, None, False)]


def test_any_line_below_nine_counts_only_where_the_recalled_rule_is_accepted():
    assert by("srs_item_9", 40, 35.6, 36, accepted=["srs.item_below_9"]) == [(2, 8.9, 1, True, 3, True)]
    assert by("srs_item_9", 40, 35.6, 36) == []


def test_one_sd_is_rapports_eighth_of_the_range_until_the_clinic_states_its_own():
    """12.5 percent of the SRS's 40 are 5 points."""
    assert by("drop_1_sd", 38, 33.1, 38) == []
    assert by("drop_1_sd", 38, 33, 38) == [(2, 33, 1, True, 3, True)]
    assert by("drop_1_sd", 38, 35, 38, alliance_sd={"srs": 3.0}) == [(2, 35, 1, True, 3, True)]


def test_the_repair_of_a_drop_of_one_sd_is_a_rise_of_the_same_size_from_the_lowest_point():
    """Strauss et al. 2006, as Gumz et al. 2012 cite it: 6 down, from 30 6 up."""
    assert by("drop_1_sd", 38, 32, 30, 35.9, 36) == [(2, 30, 3, True, 5, True)]


def test_two_sds_and_back_half_of_the_way_within_three_sessions():
    """Stiles et al. 2004: a brief V."""
    assert by("drop_2_sd", 38, 28, 30, 32.9, 33) == [(2, 28, 3, True, 5, True)]
    assert by("drop_2_sd", 38, 28, 28, 28, 28, 38) == [(2, 28, 4, False, 6, True)]


def test_the_stricter_of_own_and_stated_sd_counts_and_needs_three_earlier_scores():
    """Gumz et al. 2012: of 40, 26, 40 (own SD 8.08) a fall of 7 is none, of 38, 38, 38 it is one."""
    assert by("strict_1", 40, 26, 40, 33) == []
    assert by("strict_1", 38, 38, 38, 31) == [(4, 31, 1, None, None, False)]
    assert by("strict_1", 38, 38, 31) == []


def test_control_limits_come_from_five_earlier_scores_and_from_no_later_one():
    """38 36 38 36 38: mean 37.2, mean moving range 2, limit 37.2 - 2.66 x 2 = 31.88; 2.66 = 3 / 1.128."""
    base = (38, 36, 38, 36, 38)
    assert by("control_limit", *base, 31.8, 37.2, 37.3) == [(6, 31.8, 2, True, 8, True)]
    assert by("control_limit", *base, 31.9) == []
    assert by("control_limit", *base[1:], 31) == []
    assert by("control_limit", *base, 31.8, 10, 10, 10)[0][:2] == (6, 10)


def test_what_was_before_a_control_limit_is_its_centre_line_even_where_the_last_score_was_lower():
    before = (*[40] * 10, 38.6)
    row = course(*before, 39.1).filter(rupture_rule="control_limit").row(0, named=True)
    assert (row["pre_value"], row["nadir_value"]) == (pytest.approx(sum(before) / 11, abs=1e-6), 39.1)


def test_a_record_that_never_varied_has_no_control_limits():
    assert by("control_limit", 40, 40, 40, 40, 40, 30) == []


def test_a_sudden_loss_can_still_change_until_two_sessions_after_it():
    """38 38 38 | 20 21: and when the third is 38 again, it is none."""
    assert by("sudden_loss", 38, 38, 38, 20, 21) == [(4, 20, 2, None, None, False)]
    assert by("sudden_loss", 38, 38, 38, 20, 21, 38) == []
    assert by("sudden_loss", 38, 38, 38, 20, 21, 21, 38) == [(4, 20, 3, True, 7, True)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([28, 19, 23, 12, 13, None], [0, 0, None]),
        ([28, 19, 23, 11, 12, None], [0, 1, None]),
        ([28, 19, None, 12, 13, None], [None, None, None]),
        ([35, 37, 23, 23, 24, 21], [1, 0, 0]),
    ],
)
def test_the_three_criteria_are_those_of_the_r_package_suddengains(values, found):
    """Tang & DeRubeis 1999, critical t by degrees of freedom: 7 points, 25 %; from session 2 to 3, 3 to 4, 4 to 5."""
    rated = pl.LazyFrame({"session": range(1, 7), "value": values, "line": [1] * 6}).drop_nulls()
    rated = rated.with_columns(pl.col("value").cast(pl.Float64))
    rated = rated.with_columns(previous=pl.col("value").shift())
    judged = around(rated).select("session", met=sudden_loss(pl.lit(7.0), 0.25)).collect()
    by_session = dict(judged.rows())
    assert [by_session.get(session) for session in (3, 4, 5)] == [
        each if each is None else bool(each) for each in found
    ]


def test_a_new_therapist_begins_anew():
    assert by("srs_drop_1", 38, 30, therapists="tu") == []
    assert by("srs_cut_off", 30, 30, therapists="tu") == [(1, 30, 1, None, None, False), (2, 30, 1, None, None, False)]


PSQ = "response_id | instrument | rater | appointment_session_id | answers\n"


def reported(*answers: str | None) -> list[tuple]:
    sessions = [f"s{n} | 2026-01-{n:02} 15:00 | tom" for n in range(1, len(answers) + 1)]
    told = [f"r{n} | psq | therapist | s{n} | {said}" for n, said in enumerate(answers, 1) if said]
    made = computed(
        appointments="\n".join(["session_id | starts_at | therapist_id", *sessions]), responses=PSQ + "\n".join(told)
    )
    names = ("start_session_number", "nadir_value", "length", "is_repaired", "repair_session_id", "is_over")
    return made["ruptures"].filter(rupture_rule="reported").sort(names[0]).select(names).rows()


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (["0 - -", "1 3 4", "0 - -"], [(2, 3, 1, True, "s2", True)]),
        (["1 3 2", "0 - -"], [(1, 3, 1, False, None, True)]),
        (["1 3 2", None, "1 5 -", "0 - -"], [(1, 5, 2, False, None, True)]),
        (["1 3 2", "1 2 5"], [(1, 3, 2, True, "s2", False)]),
        (["1 - -"], [(1, None, 1, None, None, False)]),
        (["1 2 4", "0 - -", "1 4 1"], [(1, 2, 1, True, "s1", True), (3, 4, 1, None, None, False)]),
    ],
)
def test_a_reported_rupture_lasts_while_it_is_reported_and_is_repaired_by_its_resolution(answers, found):
    """PSQ: rupture 0 or 1, intensity and resolution 1-5 (Muran et al. 2009)."""
    assert reported(*answers) == found


TOTALS = st.lists(st.sampled_from([None, 40, 38, 36, 35, 31, 26, 20]), min_size=1, max_size=16)


@settings(max_examples=25)
@given(totals=TOTALS, later=st.lists(st.sampled_from([None, 40, 36, 30, 10]), min_size=1, max_size=4))
def test_what_is_over_never_changes_when_sessions_are_added(totals, later):
    before, after = course(*totals), course(*totals, *later)
    over = before.filter("is_over")
    kept = after.join(over, on=["rupture_rule", "start_session_id"], how="semi")
    assert_frame_equal(over, kept, check_row_order=False)
    settled = before.filter(pl.col("is_repaired").is_not_null() & (pl.col("rupture_rule") != "sudden_loss"))
    same = after.join(settled, on=["rupture_rule", "start_session_id", "is_repaired"], how="semi")
    assert same.height == settled.height


def test_a_later_session_does_change_one_that_is_not_over():
    assert by("srs_cut_off", 38, 30)[0][-1] is False
    assert by("srs_cut_off", 38, 30) != by("srs_cut_off", 38, 30, 20)


def test_every_rule_of_the_field_is_there_and_says_where_it_is_from():
    assert {rule.code for rule in RULES} == {f"R{n}" for n in range(1, 10)}
    assert all(rule.origin.source != "the clinic" for rule in RULES)


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ('kind = "below"', 'kind = "under"', "kind = 'under' is not one of below, fall"),
        ("within = 6", "within = 0", "'within' must be a whole number, from 1 to"),
        ('threshold = "below_36"', "", "has no key 'threshold'"),
        ("sd = 12.5", 'sd = "much"', "'sd' must be a number"),
        ("width = 2.66", "widht = 2.66", "unknown key 'widht'; did you mean 'width'"),
    ],
)
def test_a_wrong_rule_is_refused_with_section_and_key(tmp_path, right, wrong, reason):
    own = tmp_path / "rules.toml"
    own.write_text(FILE.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(Unusable, match=rf"rule file rules.toml: \[.*{reason}"):
        read_rupture_rules(own)


def test_the_rules_are_a_table_with_what_counts_here():
    made = computed(clinic(alliance_sd={"srs": 4.0}))["rupture_rules"]
    expected = """
        rupture_rule | instrument | rule_code | compares_with | rule_sd | sd_times | is_rule_used
        srs_cut_off  | srs        | R1        | < 36    |    |          | yes
        srs_drop_1   | srs        | R2        | <= -1   |    |          | yes
        srs_item_9   | srs        | R3        | < 9     |    |          | no
        drop_1_sd    | srs        | R4        |         | 4  | 1        | yes
        drop_2_sd    | srs        | R5        |         | 4  | 2        | yes
        """
    shown = made.filter(pl.col("instrument") == "srs", pl.col("rule_code") <= "R5")
    assert seen(shown, expected) == lines(expected)


def test_a_clinic_without_a_rule_finds_none_by_it():
    only = replace(clinic(), rupture_rules=tuple(rule for rule in RULES if rule.code == "R2"))
    made = computed(
        only,
        appointments="session_id | starts_at\ns1 | 2026-01-01 15:00\ns2 | 2026-01-02 15:00",
        responses=f"{HEADER}\nr1 | srs | client | s1 | 9 9 9 9\nr2 | srs | client | s2 | 5 5 5 5",
    )
    assert made["ruptures"]["rupture_rule"].to_list() == ["srs_drop_1"]
