"""Two parents, two partners: each is a person with a number of his own, and a client still counts once."""

from datetime import UTC, datetime

import polars as pl
import pytest

from rapport import transforms
from rapport.transforms import worklist as listed
from tests.clinics.drawn import clinic, computed, lines, seen

PEOPLE = clinic(sources_of_people=("survey",))
WEEKS = """
    session_id | starts_at        | therapist_id
    s1         | 2026-06-01 15:00 | tom
    s2         | 2026-06-08 15:00 | tom
    s3         | 2026-06-15 15:00 | tom
    s4         | 2026-06-22 15:00 | tom
    """
HEADER = "source | response_id | instrument | rater | rater_id | appointment_session_id | completed_at"
HEADER += " | completed_on | answers"


def rated(rater: str, who: str, *totals: float | None, minute: int = 0, source: str = "survey") -> list[str]:
    """SRS responses of one person, one for each session in turn; None is a session without one."""
    return [
        f"{source} | {who}{at} | srs | {rater} | {who} | s{at} | 2026-06-{7 * at - 6:02} 15:{minute:02} |"
        f" 2026-06-{7 * at - 6:02} | {' '.join([str(total / 4)] * 4)}"
        for at, total in enumerate(totals, start=1)
        if total is not None
    ]


def tables(*responses: list[str], declared=PEOPLE, **more: object) -> dict[str, pl.DataFrame]:
    drawn = "\n".join([HEADER, *(line for each in responses for line in each)])
    return computed(declared, appointments=WEEKS, responses=drawn, **more)


def of_total(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(scale="total") if "scale" in frame.columns else frame


def test_the_second_partner_whose_ratings_fall_has_his_own_alliance_rupture_and_line_of_the_worklist():
    as_of = datetime(2026, 6, 24, 3, tzinfo=UTC)
    births = "client_id | birth_date\nann | 1990-01-01"
    made = tables(rated("client", "anna", 38, 38, 38, 38), rated("client", "ben", 38, 38, 38, 20, minute=1),
                  as_of=as_of, births=births)  # fmt: skip
    expected = """
        session_id | rater  | rater_number | score | change
        s3         | client | 1            | 38    | 0
        s3         | client | 2            | 38    | 0
        s4         | client | 1            | 38    | 0
        s4         | client | 2            | 20    | -18
        """
    late = of_total(made["alliance"]).filter(pl.col("session_number") > 2)
    assert seen(late, expected) == lines(expected)
    ruptures = made["ruptures"]
    assert set(ruptures["rater_number"]) == {2}
    assert "s4" in ruptures["start_session_id"].to_list()
    read = ("appointments", "sessions", "alliance", "score_bands", "progress", "retention", "engagement")
    found = listed.worklist(**{name: made[name].lazy() for name in read}, clinic=PEOPLE, as_of=as_of)
    expected = f"""
        what           | rater  | rater_number | score
        {listed.BELOW} | client | 2            | 20
        {listed.FELL}  | client | 2            | 20
        """
    assert seen(found, expected) == lines(expected)


def test_two_parents_are_compared_with_each_other():
    made = tables(rated("caregiver", "mother", 40, 30), rated("caregiver", "father", 30, 30, minute=1))
    expected = """
        session_id | rater     | rater_number | other_rater | other_rater_number | signed_difference
        s1         | caregiver | 1            | caregiver   | 2                  | 25
        s2         | caregiver | 1            | caregiver   | 2                  | 0
        """
    assert seen(of_total(made["alliance_agreement"]), expected) == lines(expected)
    expected = (
        "rater | rater_number | other_rater | other_rater_number | shared_session_count | mean_absolute_difference"
    )
    assert seen(of_total(made["alliance_congruence"]), expected)[1:] == ["caregiver | 1 | caregiver | 2 | 2 | 12.5"]


def test_the_child_is_compared_with_each_of_two_parents():
    made = tables(rated("client", "child", 40), rated("caregiver", "mother", 36), rated("caregiver", "father", 32))
    expected = """
        rater     | rater_number | other_rater | other_rater_number | signed_difference
        client    | 1            | caregiver   | 1                  | 10
        client    | 1            | caregiver   | 2                  | 20
        caregiver | 1            | caregiver   | 2                  | 10
        """
    assert seen(of_total(made["alliance_agreement"]), expected) == lines(expected)


@pytest.mark.parametrize(
    ("first", "second", "numbers"),
    [
        (rated("client", "a", 30, minute=2), rated("client", "b", 30, minute=1), {"a1": 2, "b1": 1}),
        (rated("client", "a", 30), rated("client", "b", 30), {"a1": 1, "b1": 2}),
        (rated("client", "a", None, 30), rated("client", "b", 30, 30), {"a2": 2, "b1": 1, "b2": 1}),
        (rated("client", "a", 30), rated("caregiver", "b", 30), {"a1": 1, "b1": 1}),
        (rated("client", "a", 30), rated("client", "", 30), {"a1": 1, "1": 1}),
        (rated("client", "a", 30), rated("client", "b", 30, source="tool"), {"a1": 1, "b1": 1}),
    ],
    ids=["earlier", "as loaded", "later session", "another kind", "without an id", "a source of no people"],
)
def test_people_are_numbered_by_their_first_response(first, second, numbers):
    made = tables(first, second)["responses"]
    assert dict(made.select("response_id", "rater_number").iter_rows()) == numbers


def test_without_rater_is_person_a_second_response_to_a_session_is_a_duplicate():
    made = tables(rated("client", "a", 30), rated("client", "b", 20, minute=1), declared=clinic())
    assert made["responses"].filter("is_used")["response_id"].to_list() == ["a1"]
    assert set(made["responses"]["rater_number"]) == {1}
    assert made["other_raters"].height == 0


def test_a_persons_second_response_to_a_session_is_still_a_duplicate():
    again = [line.replace("b1", "b9").replace("15:01", "15:30") for line in rated("client", "b", 20, minute=1)]
    used = tables(rated("client", "a", 30), rated("client", "b", 20, minute=1), again)["responses"].filter("is_used")
    assert sorted(used["response_id"]) == ["a1", "b1"]


def test_responses_without_an_episode_are_numbered_within_their_client():
    unmatched = [line.replace("s1", "") for line in (*rated("client", "a", 30, minute=1), *rated("client", "b", 30))]
    made = tables(unmatched)["responses"]
    assert dict(made.select("response_id", "rater_number").iter_rows()) == {"a1": 2, "b1": 1}


@pytest.mark.parametrize(
    ("mother", "father", "left_out", "counted"),
    [((40, 40), (20, 20), 2, 1), ((40,), (20, 20), 1, 2), ((40, 40), (None, 20), 2, 1)],
    ids=["a tie: the first", "the second rates more", "the first rates more"],
)
def test_the_clinic_takes_the_person_with_the_most_ratings(mother, father, left_out, counted):
    made = tables(rated("caregiver", "m", *mother), rated("caregiver", "f", *father, minute=1))
    others = made["other_raters"].select("rater", "rater_number", "counted_rater_number").rows()
    assert others == [("caregiver", left_out, counted)]
    means = of_total(made["alliance_grand_means"]).row(0, named=True)
    assert (means["dyad_count"], means["client_count"]) == (1, 1)
    assert means["grand_mean"] == {1: 40, 2: 20}[counted]


def test_two_people_never_make_two_of_a_client_in_a_table_of_the_clinic():
    one = tables(rated("client", "a", 30, 31, 32, 33))
    two = tables(rated("client", "a", 30, 31, 32, 33), rated("client", "b", 10, 11, 12, minute=1))
    clinics = [each.name for each in transforms.tables() if each.per == "clinic" and each.name != "progress"]
    assert [
        name for name in clinics if not one[name].sort(one[name].columns).equals(two[name].sort(two[name].columns))
    ] == []


def test_rows_of_one_person_are_the_same_with_and_without_rater_is_person():
    responses = [*rated("client", "a", 30, 20, 32, 33), *rated("caregiver", "m", 30, None, 32, 33)]
    told, untold = tables(responses), tables(responses, declared=clinic())
    assert all(told[name].sort(each.columns).equals(each.sort(each.columns)) for name, each in untold.items())


def test_who_forgets_the_number_is_warned_by_the_columns_comment():
    for each in transforms.tables():
        for name in {"rater_number", "other_rater_number"} & set(each.column_names):
            said = next(column.comment for column in each.columns if column.name == name)
            assert "mixes two people" in said


def test_every_key_with_a_rater_has_the_persons_number_but_for_tables_of_the_clinic():
    """progress is computed over the clinic, and has a row per episode and person."""
    for each in transforms.tables():
        for name in {"rater", "other_rater"} & set(each.key):
            assert (f"{name}_number" in each.key) == (each.per == "client" or each.name == "progress"), each.name
