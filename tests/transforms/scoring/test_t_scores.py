"""T-scores from a clinic's own table: looked up, never extrapolated. Every number here is invented."""

import re

import pytest

from rapport.flows.order import place_order
from rapport.flows.steps.changed_definitions import fingerprints
from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from rapport.warehouse.errors import Unusable
from rapport.warehouse.instruments.t_scores import TScore, TScores
from tests.clinics.drawn import clinic, computed, lines, seen

HEADER = "instrument,scale,rater,sex,grade_from,grade_to,raw,t\n"
ROW = "rcads_25,depression,client,female,3,4,10,64\n"
INVENTED = TScores(
    "invented",
    tuple(
        TScore("rcads_25", "depression", "client", sex, first, last, raw, t)
        for sex, first, last, raw, t in [
            ("female", 3, 4, 10, 64.9),
            ("female", 3, 4, 11, 65.0),
            ("female", 3, 4, 12, 70.0),
            ("female", 3, 4, 13, 80.0),
            ("female", 3, 4, 14, 80.5),
            ("female", 5, 5, 10, 58.0),
            ("male", 3, 4, 10, 71.0),
        ]
    ),
)
NINE, ELEVEN = "2017-01-10", "2015-01-10"  # years old on the day below: grades 3 and 5


def t_scores(given: dict[str, float], like: str, *, born: str = NINE, sex: str = "female", rater: str = "client"):
    drawn = "response_id | instrument | rater | completed_on | given_scores\n" + "\n".join(
        f"{name} | rcads_25 | {rater} | 2026-03-02 | depression {raw}, anxiety 10" for name, raw in given.items()
    )
    births = f"client_id | birth_date\nann | {born}" if born else ""
    made = computed(clinic(t_scores=INVENTED), births=births, responses=drawn, clients=f"client_id | sex\nann | {sex}")[
        "t_scores"
    ]
    return seen(made, like)


def test_a_t_score_is_borderline_from_65_clinical_from_70_and_displayed_as_more_than_80_above_80():
    expected = """
        response_id | scale      | score | grades | t_score | t_shown | t_band
        r1          | depression | 10    | 3-4    | 64.9    | 64.9    |
        r2          | depression | 11    | 3-4    | 65      | 65      | borderline
        r3          | depression | 12    | 3-4    | 70      | 70      | clinical
        r4          | depression | 13    | 3-4    | 80      | 80      | clinical
        r5          | depression | 14    | 3-4    | 80.5    | >80     | clinical
        """
    assert t_scores({"r1": 10, "r2": 11, "r3": 12, "r4": 13, "r5": 14}, expected) == lines(expected)


@pytest.mark.parametrize(
    ("born", "sex", "t"),
    [
        (NINE, "female", "64.9"),
        (ELEVEN, "female", "58"),
        (NINE, "male", "71"),
        ("2017-03-02", "female", "64.9"),  # nine on that very day
        ("2017-03-03", "female", ""),  # still eight, grade 2: the table begins with 3
    ],
)
def test_it_is_looked_up_by_sex_and_by_grade_which_is_age_less_six(born, sex, t):
    expected = f"score | t_score\n10 | {t}"
    assert t_scores({"r1": 10}, expected, born=born, sex=sex) == lines(expected)


@pytest.mark.parametrize(
    ("raw", "more"),
    [
        (9, {}),
        (15, {}),
        (10.5, {}),
        (11, {"born": ELEVEN}),
        (10, {"born": ""}),
        (10, {"sex": ""}),
        (10, {"sex": "other"}),
        (10, {"rater": "caregiver"}),
    ],
)
def test_where_the_table_has_no_row_there_is_none_and_it_is_never_extrapolated(raw, more):
    expected = f"score | grades | t_score | t_shown | t_band\n{raw} | | | |"
    assert t_scores({"r1": raw}, expected, **more) == lines(expected)


def test_without_a_file_the_table_is_empty():
    drawn = "response_id | instrument | rater | given_scores\nr1 | rcads_25 | client | depression 10"
    assert computed(responses=drawn)["t_scores"].height == 0


def declared(tmp_path, content: str, scales: str = "") -> Clinic:
    (tmp_path / "norms.csv").write_text(content, encoding="utf-8")
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\nt_scores = "norms.csv"\n{scales}', encoding="utf-8")
    return read_clinic(tmp_path / "clinic.toml")


def test_the_clinic_s_file_is_read_and_its_columns_may_stand_in_any_order(tmp_path):
    found = declared(
        tmp_path, "\ufefft,raw,grade_to,grade_from,sex,rater,scale,instrument\n64,10,4,3,male,client,total,rcads_47\n"
    )
    assert found.t_scores.rows == (TScore("rcads_47", "total", "client", "male", 3, 4, 10.0, 64.0),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: column 'instrument' must be there once"),
        (HEADER.replace(",raw", ""), "line 1: column 'raw' must be there once"),
        (HEADER.replace(",raw", ",raws"), "line 1: column 'raw' must be there once; is it 'raws'"),
        (HEADER.strip() + ",note\n", "line 1: column 'note' is not one of instrument"),
        (HEADER, "line 2: there are no rows"),
        (HEADER + ROW.strip() + ",9\n", "line 2 has 9 cells; the header has 8"),
        (HEADER + ROW.replace("rcads_25", "rcads"), "line 2, column instrument = 'rcads' is not one of"),
        (HEADER + ROW.replace("depression", "panic"), "line 2, column scale = 'panic' is not one of depression"),
        (HEADER + ROW.replace("client", "observer"), "line 2, column rater = 'observer' is not one of client"),
        (HEADER + ROW.replace("female", "f"), "line 2, column sex = 'f' is not one of female"),
        (HEADER + ROW.replace(",3,", ",third,"), "line 2, column grade_from: 'third' is not a number"),
        (HEADER + ROW.replace(",3,", ",3.5,"), "line 2, column grade_from: '3.5' is not a school grade"),
        (HEADER + ROW.replace(",4,", ",40,"), "line 2, column grade_to: '40' is not a school grade"),
        (HEADER + ROW.replace(",3,4,", ",4,3,"), "line 2, column grade_from: 4 is above grade_to, 3"),
        (HEADER + ROW.replace(",10,", ",31,"), "line 2, column raw: 31 is outside the scale's range, 0 to 30"),
        (HEADER + ROW.replace(",64", ",>80"), "line 2, column t: '>80' is not a number"),
        (HEADER + ROW.replace(",64", ",nan"), "line 2, column t: 'nan' is not a number"),
        (HEADER + ROW.replace(",64", ",٦٤"), "line 2, column t: '٦٤' is not a number"),
        (HEADER + ROW.replace(",10,", ",1_0,"), "line 2, column raw: '1_0' is not a number"),
        (HEADER + ROW + ROW.replace(",3,4,", ",4,5,"), "lines 2 and 3, columns grade_from and grade_to: .* grade 4"),
        (HEADER + ROW + ROW, "lines 2 and 3, .* T-score for raw 10 in grade 3; keep one"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_name_line_column_and_reason(tmp_path, content, reason):
    with pytest.raises(Unusable) as refused:
        declared(tmp_path, content)
    assert re.match(rf"clinic file clinic.toml: t_scores file norms.csv, {reason}", str(refused.value))


def test_a_file_that_is_not_there_or_not_utf_8_is_refused(tmp_path):
    (tmp_path / "clinic.toml").write_text('time_zone = "UTC"\nt_scores = "norms.csv"', encoding="utf-8")
    with pytest.raises(Unusable, match=r"t_scores file norms\.csv cannot be read"):
        read_clinic(tmp_path / "clinic.toml")
    (tmp_path / "norms.csv").write_bytes(b"caf\xe9")
    with pytest.raises(Unusable, match=r"t_scores file norms\.csv is not UTF-8"):
        read_clinic(tmp_path / "clinic.toml")


def test_every_client_is_computed_again_when_the_file_s_content_changes(tmp_path):
    def version(content: str) -> str:
        declared(tmp_path, content)
        order = place_order(tmp_path, tmp_path / "clinic.toml", tmp_path / "w", "2026-11-21T03:00")
        return fingerprints(order)["table", "t_scores"]

    assert version(HEADER + ROW) == version(HEADER + ROW)
    assert version(HEADER + ROW) != version(HEADER + ROW.replace(",64", ",65"))
