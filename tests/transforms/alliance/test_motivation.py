"""Motivation: what child and caregiver say early, the gap between them, and the alliance beside it."""

from tests.clinics.drawn import clinic, computed, lines, seen

ACCEPTED = clinic(accepted=["myts"])  # its key is recalled
EIGHT = "session_id | starts_at | therapist_id\n" + "\n".join(f"s{n} | 2026-03-{n:02} 15:00 | tom" for n in range(1, 9))
HEADER = "response_id | instrument | rater | appointment_session_id | answers"


def myts(rater: str, session: int, level: int) -> str:
    return f"{rater}{session} | myts | {rater} | s{session} | {' '.join([str(level)] * 8)}"


def motivation(*responses: str, like: str, declared=ACCEPTED) -> list[str]:
    made = computed(declared, appointments=EIGHT, responses="\n".join([HEADER, *responses]))
    return seen(made["motivation"], like)


def test_the_gap_is_the_caregivers_minus_the_clients_and_closes_as_the_client_catches_up():
    """Breda & Riemer 2012: caregivers are nearly always the more motivated. 1-5: a point is 25 percent."""
    rows = (myts("client", 1, 2), myts("caregiver", 1, 5), myts("client", 4, 4), myts("caregiver", 4, 5))
    raters = "client_first_pomp | client_early_change | caregiver_first_pomp | caregiver_early_change"
    assert motivation(*rows, like=raters)[1:] == ["25 | 50 | 100 | 0"]
    assert motivation(*rows, like="first_gap | early_gap | gap_change")[1:] == ["75 | 25 | -50"]


def test_one_rating_is_no_change_and_one_rater_no_gap():
    expected = "client_first_pomp | client_early_pomp | client_early_change | first_gap | gap_change\n25 |  |  |  |"
    assert motivation(myts("client", 1, 2), like=expected) == lines(expected)


def test_ratings_after_the_sixth_session_are_not_early():
    expected = "client_first_pomp | client_early_pomp\n25 | 50"
    rows = (myts("client", 1, 2), myts("client", 6, 3), myts("client", 7, 5))
    assert motivation(*rows, like=expected) == lines(expected)
    assert motivation(myts("client", 7, 5), like="scale")[1:] == []


def test_the_early_alliance_stands_beside_it():
    expected = "client_early_change | client_alliance | caregiver_alliance\n25 | 90 |"
    rows = (myts("client", 1, 2), myts("client", 5, 3), "r3 | srs | client | s3 | 9 9 9 9")
    assert motivation(*rows, like=expected) == lines(expected)


def test_a_recalled_key_that_is_not_accepted_makes_no_row():
    assert motivation(myts("client", 1, 2), like="scale", declared=clinic())[1:] == []
