"""Collaboration: goals and tasks as each rater sees them, whose the goals are, and homework."""

from tests.clinics.drawn import computed, lines, seen

TWO = "session_id | starts_at | therapist_id\ns1 | 2026-03-02 15:00 | tom\ns2 | 2026-03-09 15:00 | tom"


def wai(goal: int, task: int, bond: int = 3) -> str:
    """WAI-SR answers by scale (Hatcher & Gillaspy 2006: task 1 2 10 12, goal 4 6 8 11)."""
    level = {**dict.fromkeys((1, 2, 10, 12), task), **dict.fromkeys((4, 6, 8, 11), goal)}
    return " ".join(str(level.get(number, bond)) for number in range(1, 13))


def test_goal_and_task_scales_stand_beside_their_difference_from_the_therapists():
    responses = f"""
        response_id | instrument | rater     | appointment_session_id | answers
        r1          | wai_sr     | client    | s1                     | {wai(5, 4)}
        r2          | wai_sr     | therapist | s1                     | {wai(4, 4)}
        r3          | wai_sr     | client    | s2                     | {wai(3, 3)}
        """
    expected = """
        session_id | rater     | goal_pomp | task_pomp | collaboration_pomp | goal_difference | task_difference
        s1         | client    | 100       | 75        | 87.5               | 25              | 0
        s1         | therapist | 75        | 75        | 75                 |                 |
        s2         | client    | 50        | 50        | 50                 |                 |
        """
    made = computed(appointments=TWO, responses=responses)["collaboration"]
    assert seen(made, expected) == lines(expected)


def test_a_questionnaire_without_those_scales_has_no_row():
    responses = "response_id | instrument | rater | appointment_session_id | answers\nr1 | srs | client | s1 | 9 9 9 9"
    assert computed(appointments=TWO, responses=responses)["collaboration"].height == 0


def test_homework_is_the_best_that_anybody_recorded_and_null_where_nobody_did():
    responses = f"""
        response_id | instrument | rater     | appointment_session_id | answers
        r1          | wai_sr     | client    | s1                     | {wai(5, 4)}
        r2          | wai_sr     | client    | s2                     | {wai(5, 4)}
        r3          | homework   | therapist | s2                     | 1
        r4          | homework   | caregiver | s2                     | 2
        """
    expected = "session_id | homework_done\ns1 |\ns2 | 2"
    assert seen(computed(appointments=TWO, responses=responses)["collaboration"], expected) == lines(expected)


def test_a_goal_has_its_owner_its_change_and_whether_three_points_nearer():
    """M21: 3 points per goal (NHS England MHSDS); two are not enough."""
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers | goal_owners
        r1          | gbo        | client | s1                     | 2 4 -   | client caregiver -
        r2          | gbo        | client | s2                     | 5 6 1   | therapist - -
        """
    expected = """
        goal | goal_owner | score_count | first_score | last_score | goal_change | is_reliably_nearer
        1    | client     | 2           | 2           | 5          | 3           | yes
        2    | caregiver  | 2           | 4           | 6          | 2           | no
        3    |            | 1           | 1           |            |             |
        """
    made = computed(appointments=TWO, responses=responses)
    assert seen(made["goals"], expected) == lines(expected)
