"""Due against received, by the declared protocol or where the sources bring it; and ratings at the ceiling."""

from datetime import UTC, datetime

import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.protocol import Due
from rapport.warehouse.errors import Unusable
from tests.clinics.drawn import clinic, computed, lines, seen

WEEKS = """
    session_id | starts_at        | therapist_id | modality | service
    s1         | 2026-03-02 15:00 | tom          | video    | therapy
    s2         | 2026-03-09 15:00 | tom          | video    | therapy
    s3         | 2026-03-16 15:00 | tom          | phone    | therapy
    s4         | 2026-03-23 15:00 |              |          | therapy
    a1         | 2026-03-24 15:00 | tom          | video    | assessment
    s5         | 2026-04-06 15:00 | tom          | video    | therapy
    """
COUNTS = "instrument | rater | therapist_id | modality | month_on | due_count | received_count | complete_count"


def srs(*sessions: str, answers: str = "9 9 9 9") -> str:
    rows = [f"r-{at} | srs | client | {at} | 2026-03-{1 + n:02d} | {answers}" for n, at in enumerate(sessions)]
    header = "response_id | instrument | rater | appointment_session_id | completed_on | answers"
    return "\n".join([header, *rows])


def completion(like: str, responses: str, *due: Due, **more: object) -> list[str]:
    declared = clinic(["assessment"], protocol=due)
    return seen(computed(declared, appointments=WEEKS, responses=responses, **more)["completion"], like)


def test_without_a_protocol_it_is_due_at_every_treatment_session_since_the_first_came():
    like = f"""
        {COUNTS} | received_share | is_declared
        srs | client | tom | video | 2026-03-01 | 2 | 2 | 2 | 1   | no
        srs | client | tom | phone | 2026-03-01 | 1 | 0 | 0 | 0   | no
        srs | client |     |       | 2026-03-01 | 1 | 1 | 1 | 1   | no
        srs | client | tom | video | 2026-04-01 | 1 | 0 | 0 | 0   | no
        """
    assert completion(like, srs("s1", "s2", "s4", "a1")) == lines(like)


def test_sessions_before_the_first_response_are_not_due():
    late = srs("s5").replace("2026-03-01", "2026-04-06")
    like = f"{COUNTS}\nsrs | client | tom | video | 2026-04-01 | 1 | 1 | 1"
    assert completion(like, late) == lines(like)


def test_a_declared_protocol_says_at_which_sessions():
    due = Due("srs", "client", first=2, every=2)
    like = f"""
        {COUNTS} | is_declared
        srs | client | tom | video | 2026-03-01 | 1 | 1 | 1 | yes
        srs | client |     |       | 2026-03-01 | 1 | 0 | 0 | yes
        """
    assert completion(like, srs("s1", "s2", "s3"), due) == lines(like)


def test_an_incomplete_response_is_received_and_not_complete():
    like = f"{COUNTS}\nsrs | client | tom | video | 2026-03-01 | 1 | 1 | 0"
    assert completion(like, srs("s2", answers="9 9 - 9"), Due("srs", "client", first=2, every=9)) == lines(like)


def test_a_response_with_no_answer_is_not_received():
    like = "instrument | due_count"
    assert completion(like, srs("s1", answers="- - - -")) == lines(like)


@pytest.mark.parametrize(("born", "due"), [("2016-01-01", 1), ("2005-01-01", 0), (None, 0)])
def test_a_caregiver_is_asked_about_minors_and_nobody_whose_age_is_not_known(born, due):
    responses = srs("s1").replace("client |", "caregiver |")
    births = f"client_id | birth_date\nann | {born}" if born else ""
    rows = [f"srs | caregiver | tom | video | {month} | {n}" for month, n in (("2026-03-01", 2), ("2026-04-01", 1))]
    rows += ["srs | caregiver | tom | phone | 2026-03-01 | 1", "srs | caregiver | | | 2026-03-01 | 1"]
    like = "\n".join(["instrument | rater | therapist_id | modality | month_on | due_count", *(rows if due else [])])
    assert completion(like, responses, births=births) == lines(like)


def test_sessions_after_today_are_not_due():
    made = computed(clinic(["assessment"]), appointments=WEEKS, responses=srs("s1"),
                    as_of=datetime(2026, 3, 10, tzinfo=UTC))["completion"]  # fmt: skip
    assert made["due_count"].sum() == 2


def test_the_ceiling_is_the_maximum_and_near_it_is_39_5_of_40():
    """Terwee et al. 2007: above 15 %."""
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 10 10 10 10
        r2          | srs        | client | s2                     | 10 10 10 9.5
        r3          | srs        | client | s3                     | 9 9 9 9
        """
    like = """
        scale | therapist_id | quarter_on | rated_count | client_count | ceiling_count | near_ceiling_count
        total | tom          | 2026-01-01 | 3           | 1            | 1             | 2
        """
    made = computed(appointments=WEEKS, responses=responses)["ceilings"]
    assert seen(made, like) == lines(like)
    assert made["is_ceiling_problem"].to_list() == [True]


def refusal(tmp_path, text: str) -> str:
    path = tmp_path / "clinic.toml"
    path.write_text(f'time_zone = "UTC"\n{text}', encoding="utf-8")
    with pytest.raises(Unusable) as refused:
        read_clinic(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[protocol.sss]\nraters = ['client']", "did you mean 'srs'?"),
        ("[protocol.srs]\nevery = 1", "has no key 'raters'"),
        ("[protocol.srs]\nraters = ['friend']", "is not one of client, caregiver, therapist, observer"),
        ("[protocol.srs]\nraters = ['client']\nevery = 0", "'every' must be a whole number, from 1 to"),
        ("[protocol.srs]\nraters = ['client']\nage_from = 18\nage_to = 12", "age_from must not be above age_to"),
        ("[protocol.srs]\nraters = ['client']\nevry = 4", "did you mean 'every'?"),
        ("minimum_caseload = 1", "'minimum_caseload' must be a whole number, from 2 to"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused_with_the_key(tmp_path, text, said):
    assert said in refusal(tmp_path, text)


def test_a_protocol_is_read_with_its_usual_values(tmp_path):
    path = tmp_path / "clinic.toml"
    path.write_text(
        'time_zone = "UTC"\n[protocol.wai_sr]\nraters = ["client", "caregiver"]\nfirst = 3\nevery = 4\n',
        encoding="utf-8",
    )
    assert read_clinic(path).protocol == (
        Due("wai_sr", "client", 3, 4),
        Due("wai_sr", "caregiver", 3, 4, age_to=17),
    )
