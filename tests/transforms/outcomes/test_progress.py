"""The clinic's own expected course, and every episode's progress against it."""

import polars as pl
import pytest

from tests.clinics.drawn import computed, lines, seen

AWAY = "away"  # no session in that week


def clinic_of(scores: dict[str, list], instrument: str = "core_10") -> dict:
    """Tables of clients with one weekly score each: `scores` is by client, in the order of their sessions; the score is
    spread over the ten items of 0 to 4."""
    held = ["session_id | client_id | starts_at | therapist_id"]
    answered = ["response_id | client_id | instrument | rater | appointment_session_id | answers"]
    for name, each in scores.items():
        for at, score in enumerate(each):
            if score == AWAY:
                continue
            day = f"2026-{3 + at // 4:02d}-{1 + 7 * (at % 4):02d}"
            held.append(f"{name}-{at} | {name} | {day} 15:00 | tom")
            if score is not None:
                answered.append(f"r-{name}-{at} | {name} | {instrument} | client | {name}-{at} | {items(score)}")
    births = "\n".join(["client_id | birth_date", *(f"{name} | 1990-01-01" for name in scores)])
    return computed(appointments="\n".join(held), responses="\n".join(answered), births=births)


def items(score: int) -> str:
    """Ten answers that make this CORE-10 total; its items 2 and 3 are reversed."""
    left, answers = score, []
    for number in range(1, 11):
        here = min(4, left)
        left -= here
        answers.append(4 - here if number in (2, 3) else here)
    return " ".join(map(str, answers))


# Forty clients begin at 30 (band 4 of 5) and are at 0, 0, 1, 1, ... 19, 19 in their second session.
CROWD = {f"c{at:02d}": [30, at // 2] for at in range(40)}


def test_the_expected_score_is_the_median_and_the_poor_end_is_the_higher_where_lower_is_better():
    """Of 0, 0, 1, 1 ... 19, 19: median 9.5, 75th percentile 14.25, 90th 17.1 (linear interpolation)."""
    like = """
        intake_band | session_number | client_count | expected_score | poor_quarter_score | poor_tenth_score
        4           | 2              | 40           | 9.5            | 14.25              | 17.1
        """
    assert seen(clinic_of(CROWD)["expected_courses"], like) == lines(like)


def test_an_intake_says_nothing_of_the_course(monkeypatch):
    """By hand: intakes at sessions 1, 1 and 2; at session 2 scores of 24, 26 and 30, the third's intake: 24 and 26."""
    monkeypatch.setattr("rapport.transforms.outcomes.expected_courses.ENOUGH_CLIENTS", 2)
    made = clinic_of({"ann": [30, 24], "bob": [30, 26], "cem": [None, 30]})["expected_courses"]
    like = "session_number | client_count | expected_score\n2 | 2 | 25"
    assert seen(made, like) == lines(like)


def test_below_thirty_clients_there_is_no_course_and_the_zone_is_grey():
    few = dict(list(CROWD.items())[:29])
    made = clinic_of(few)
    assert made["expected_courses"].height == 0
    assert made["progress"]["zone"].unique().to_list() == ["grey"]
    assert clinic_of(dict(list(CROWD.items())[:30]))["expected_courses"].height == 1


@pytest.mark.parametrize(
    ("score", "zone", "off"), [(9, "green", False), (10, "orange", False), (17, "orange", False), (18, "red", True)]
)
def test_zones_are_by_the_median_and_the_poor_tenth(score, zone, off):
    found = clinic_of(CROWD)["progress"].filter(client_id=f"c{2 * score:02d}").row(0, named=True)
    assert (found["latest_score"], found["zone"], found["is_not_on_track"]) == (score, zone, off)


def test_reliable_deterioration_is_off_track_without_any_course():
    """CORE-10: 6 points, Barkham et al. 2013."""
    worse = clinic_of({"ann": [10, 16], "bob": [10, 15]})["progress"]
    like = """
        client_id | zone | is_deteriorated | is_not_on_track
        ann       | grey | yes             | yes
        bob       | grey | no              | no
        """
    assert seen(worse, like) == lines(like)


def test_one_score_is_no_progress():
    like = "client_id | score_count | zone | is_deteriorated | is_not_on_track\nann | 1 | grey | |"
    assert seen(clinic_of({"ann": [10]})["progress"], like) == lines(like)


def test_check_points_signal_no_reliable_improvement_by_sessions_3_to_6_and_6_to_9():
    """ann improves by 6 in session 5, bob by 5; cem is scored in neither check-point; dee improves late."""
    scores = {
        "ann": [20, None, 20, None, 14],
        "bob": [20, None, 20, None, 15],
        "cem": [20, 10],
        "dee": [20, None, None, 19, None, None, None, 12],
    }
    like = """
        client_id | has_checkpoint_signal | has_last_chance_signal
        ann       | no                    |
        bob       | yes                   |
        cem       |                       |
        dee       | yes                   | no
        """
    assert seen(clinic_of(scores)["progress"], like) == lines(like)


def test_a_first_score_after_the_third_session_is_no_intake():
    assert clinic_of({"ann": [None, None, None, 20, 10]})["progress"].height == 0
    assert clinic_of({"ann": [None, None, 20, 10]})["progress"].height == 1


def test_a_client_counts_in_a_course_with_the_first_episode_only():
    """Twenty clients come back after more than 90 days and begin alike: still thirty clients, each once."""
    crowd = {name: scores + [AWAY] * 20 + [30, 0] for name, scores in list(CROWD.items())[:30]}
    made = clinic_of(crowd)
    assert made["retention"].height == 60
    course = made["expected_courses"].filter(pl.col("session_number") == 2)
    assert course.select("client_count", "expected_score").rows() == [(30, 7.0)]
