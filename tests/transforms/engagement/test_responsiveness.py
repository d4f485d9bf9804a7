"""Responsiveness: observed in sessions 1 and 2 and never later; what clients say is a proxy and called one."""

from tests.clinics.drawn import clinic, computed, lines, seen

SIX = "session_id | starts_at | therapist_id\n" + "\n".join(f"s{n} | 2026-03-{n:02} 15:00 | tom" for n in range(1, 7))
GIVEN = "response_id | instrument | rater | appointment_session_id | given_scores | answers\n"
ELKIN = "positive_atmosphere {0}, attentiveness {0}, early_empathic_responding {0}, negative_behaviour {0}, global {0}"


def observed(session: str, level: float) -> str:
    return f"o{session} | elkin_responsiveness | observer | {session} | {ELKIN.format(level)} |"


def srs(session: str, answers: str) -> str:
    return f"c{session} | srs | client | {session} |  | {answers}"


def responsiveness(*responses: str, like: str, appointments: str = SIX, **more) -> list[str]:
    made = computed(appointments=appointments, responses=GIVEN + "\n".join(responses), **more)
    return seen(made["responsiveness"], like)


def test_a_factor_is_the_mean_of_sessions_1_and_2_and_no_later_session_enters():
    expected = """
        positive_atmosphere | negative_behaviour | global_responsiveness | observed_session_count
        4                   | 4                  | 4                     | 2
        """
    rows = (observed("s1", 3), observed("s2", 5), observed("s3", 1))
    assert responsiveness(*rows, like=expected) == lines(expected)


def test_one_rated_session_is_no_factor_score():
    expected = "positive_atmosphere | attentiveness | observed_session_count\n |  | 1"
    assert responsiveness(observed("s1", 3), observed("s3", 5), like=expected) == lines(expected)


def test_the_proxy_is_of_the_srs_lines_relationship_and_approach():
    """Lines 1 and 3: (8 + 6) / 2 and (9 + 7) / 2 of 10."""
    expected = "responsiveness_proxy | proxy_instrument | proxy_session_count\n75 | srs | 2"
    rows = (srs("s1", "8 1 6 1"), srs("s2", "9 1 7 1"), srs("s3", "0 0 0 0"))
    assert responsiveness(*rows, like=expected) == lines(expected)


def test_the_proxy_needs_both_sessions_and_both_lines_and_a_licence():
    like = "responsiveness_proxy | proxy_session_count"
    assert responsiveness(srs("s1", "8 8 8 8"), like=like)[1:] == [" | 1"]
    assert responsiveness(srs("s1", "8 8 8 8"), srs("s2", "8 8 - 8"), like=like)[1:] == [" | 1"]
    both = (srs("s1", "8 8 8 8"), srs("s2", "8 8 8 8"))
    assert responsiveness(*both, like=like)[1:] == ["80 | 2"]
    assert responsiveness(*both, like=like, declared=clinic(licences=[]))[1:] == [" | 0"]


def test_the_clients_view_after_the_second_session_is_an_outcome_and_no_other_sessions():
    expected = "relationship_after_second | relationship_instrument\n90 | srs"
    rows = (srs("s1", "1 1 1 1"), srs("s2", "9 9 9 9"), srs("s3", "5 5 5 5"))
    assert responsiveness(*rows, like=expected) == lines(expected)


def test_the_fifth_session_is_past_four_and_before_it_nothing_is_known():
    four = "\n".join(SIX.split("\n")[:5])
    five = "\n".join(SIX.split("\n")[:6])
    like = "attended_session_count | is_past_four"
    assert responsiveness(like=like, appointments=four)[1:] == ["4 | "]
    assert responsiveness(like=like, appointments=five)[1:] == ["5 | yes"]


def test_two_therapists_in_the_first_two_sessions_are_none():
    two = SIX.replace("15:00 | tom", "15:00 | uma", 1)
    assert responsiveness(like="therapist_id", appointments=two)[1:] == [""]
    assert responsiveness(like="therapist_id")[1:] == ["tom"]
