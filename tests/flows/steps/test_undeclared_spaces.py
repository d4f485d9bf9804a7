"""Surveys must say whose record numbers they have: a wrong answer parts people in two, or makes one of two."""

import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, open_place

HEAD = """\
time_zone = "America/Chicago"
licences = ["srs"]
[sources.appointments]
files = "appointments.csv"
{practice}
"""
SURVEY = """\
[sources.phq]
format = "wide"
files = "phq.csv"
client_id = "user"
completed_at = "when"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
{more}
"""


@pytest.fixture(autouse=True)
def short_nights():
    """A night that is refused at once leaves a thread that imports Great Expectations: here that is done before."""
    import rapport.expectations.records  # noqa: F401, PLC0415

    with few_tables():
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    made = open_place(tmp_path / "clinic")
    made.deliver("appointments.csv", APPOINTMENTS, [f"A{n},{n},2026-11-10T10:00,attended,T1" for n in (1, 2, 3, 9)])
    made.deliver("phq.csv", "user,when,a,b,c,d", [f"{n}.0,2026-11-10 10:50,9,9,9,9" for n in (1, 2, 3)])
    return made


def write(place: Place, more: str = "", practice: str = "") -> None:
    place.clinic.write_text((HEAD + SURVEY).format(more=more, practice=practice))


def night(place: Place, **more: bool) -> object:
    return place.night("2026-11-11T12:00", but_for_finished_tables, **more)


@pytest.mark.parametrize("is_check", [True, False])
def test_a_survey_of_a_new_warehouse_that_names_no_space_is_refused_with_what_each_choice_would_match(place, is_check):
    write(place)
    with pytest.raises(Unusable) as refused:
        night(place, is_check=is_check)
    assert str(refused.value) == (
        '[sources.phq] does not say whose numbers its clients have; add id_space = "clinic" if they are those of '
        'appointments (3 of its 3 clients are known there), or id_space = "phq" if they are numbers of its own, which '
        "meet nobody. Its numbers are 1 to 3 without a gap, as automatic ones are: those match others by chance"
    )
    assert not place.published.exists()


@pytest.mark.parametrize(("space", "clients"), [("clinic", 4), ("phq", 7)])
def test_either_answer_is_taken(place, space, clients):
    write(place, f'id_space = "{space}"')
    assert not any("add to its section" in told for told in night(place).troubles.warnings)
    assert place.ask("SELECT count(*) FROM clients") == [(clients,)]


def test_a_warehouse_that_knows_the_survey_keeps_its_space_and_is_told_the_line_to_add(place):
    write(place, 'id_space = "phq"')
    night(place)
    write(place)
    place.deliver("phq.csv", "user,when,a,b,c,d", ["4,2026-11-10 10:50,9,9,9,9"])
    (told,) = night(place).troubles.warnings
    assert told.endswith('keeps the id space that it was loaded under; add to its section id_space = "phq"')
    assert place.ask("SELECT id_space FROM load.spaces WHERE source = 'phq'") == [("phq",)]


def test_a_new_survey_of_a_known_warehouse_is_refused_as_in_a_new_one(place):
    place.clinic.write_text(HEAD.format(practice=""))
    night(place)
    write(place)
    place.deliver("phq.csv", "user,when,a,b,c,d", ["9,2026-11-10 10:50,9,9,9,9", "X,2026-11-10 10:50,9,9,9,9"])
    with pytest.raises(Unusable, match=r'id_space = "clinic" .* \(1 of its 2 clients are known there\)'):
        night(place)


def test_what_cannot_be_counted_is_not_told_as_zero(place):
    write(place)
    place.drop("phq.csv", b"user,when\n1,2026-11-10 10:50\n")
    with pytest.raises(Unusable, match=r"\(not counted: a file cannot be read\)"):
        night(place)


@pytest.mark.parametrize(
    ("section", "must"),
    [
        ('format = "plain"\nrecords = "responses"', False),
        ('format = "table"\nrecords = "responses"', True),
        ('format = "table"\nrecords = "appointments"', False),
        ('format = "redcap"', True),
        ('format = "fhir"', False),
        ('format = "fhir"\nforms.p = { instrument = "srs", rater = "client", items = ["a", "b", "c", "d"] }', True),
        ('format = "redcap"\nid_space = "x"', False),
    ],
)
def test_surveys_and_forms_must_name_their_space_and_no_other_section(tmp_path, section, must):
    status = '\nstatus.words = { held = "attended" }' if "table" in section and "app" in section else ""
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\n[sources.x]\nfiles = "x*"\n{section}{status}\n')
    assert read_clinic(tmp_path / "clinic.toml").sources[0].must_name_its_space is must
