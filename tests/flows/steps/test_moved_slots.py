"""Slots under another client: they move where their source shows it, else they are told, and nothing is guessed."""

from unittest.mock import patch

import pytest

from rapport.flows.ops import forget
from rapport.flows.order import place_change
from rapport.flows.pages.draw import Drawn
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.steps.check import Checked
from rapport.warehouse.clinic_file.client_links import read_client_links
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.places.folders import Folders
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place

HEADER = "appointment_id,client_id,starts_at,status,therapist_id,duration_minutes"
CLINIC = """\
time_zone = "America/Chicago"
vanished_limit = 0.9
{top}
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
{more}
"""
WHOLE = 'covers = "all"'


def slot(number: int, client: int, therapist: str = "T1", hour: int = 10) -> str:
    return f"A{number},{client},2026-11-0{number + 1}T{hour}:00,attended,{therapist},50"


BEFORE = [slot(1, 101), slot(2, 101), slot(3, 102), slot(4, 102)]
AFTER = [slot(number, 101) for number in (1, 2, 3, 4)]


@pytest.fixture(autouse=True)
def short_nights():
    checked, drawn = (patch(f"rapport.flows.ops.{name}") for name in ("forget.check_tables", "publish_load.draw"))
    with few_tables(), checked as check, drawn as draw:
        check.return_value, draw.return_value = Checked(), Drawn()
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    return open_place(tmp_path / "clinic")


def write(place: Place, more: str = "", top: str = "") -> None:
    place.clinic.write_text(CLINIC.format(more=more, top=top))


def night(place: Place, day: int, slots: list[str]) -> tuple[str, ...]:
    place.deliver(f"appointments_2026-11-{day}.csv", HEADER, slots)
    return place.night(f"2026-11-{day}T03:00", but_for_finished_tables).troubles.warnings


def taken_out(place: Place, number: str) -> int:
    given = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    return forget.main([*given, "--space", "clinic", "--client", number])


def slots_of(place: Place) -> dict[str, int]:
    """Current appointments by the client's number."""
    people = read_crosswalk(Folders(place.warehouse).crosswalk)
    number = dict(people.select("pseudonym", "number").sort("number", descending=True).iter_rows())
    found = place.ask("SELECT replace(client_id::VARCHAR, '-', ''), count(*) FROM appointments GROUP BY ALL")
    return {number[client]: count for client, count in found}


def everything_of(place: Place, kind: str = "appointments") -> int:
    return place.ask(f"SELECT count(*) FROM history.{kind}")[0][0]


def test_slots_that_came_under_another_client_stay_and_are_told_as_probable_moves_and_forget_names_them(place, capsys):
    write(place)
    assert night(place, 19, BEFORE) == ()
    (told,) = night(place, 20, AFTER)
    assert told.startswith("2 appointments of the source appointments came under another client than before")
    assert slots_of(place) == {"101": 4, "102": 2}
    assert night(place, 21, AFTER) == (), "it is told when they come"
    assert taken_out(place, "101") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 appointments of the client 102 in the id space 'clinic' are probably this person's too" in said
    assert "run rapport forget --space clinic --client 102 with the same folders" in said
    assert slots_of(place) == {"102": 2}, "nobody is taken out by a guess"


def test_a_whole_export_moves_the_slots_and_nothing_of_them_is_left_after_forget(place):
    write(place, WHOLE)
    night(place, 19, BEFORE)
    assert night(place, 20, AFTER) == ()
    assert slots_of(place) == {"101": 4}
    assert place.ask("SELECT count(DISTINCT client_id), count(*) FROM history.appointments") == [(1, 6)]
    assert place.ask("SELECT closed_because, count(*) FROM history.appointments WHERE known_to = 2 GROUP BY ALL") == [
        ("corrected", 2)
    ]
    assert taken_out(place, "101") == 0
    assert everything_of(place) == 0


MOVED_OTHERWISE = {
    "start": [slot(1, 101), slot(2, 101), slot(3, 101, hour=12), slot(4, 102)],
    "therapist": [slot(1, 101), slot(2, 101), slot(3, 101, therapist="T2"), slot(4, 102)],
}


@pytest.mark.parametrize("what", MOVED_OTHERWISE)
def test_an_id_with_another_start_or_therapist_is_another_slot(place, what):
    write(place, WHOLE)
    night(place, 19, BEFORE)
    assert night(place, 20, MOVED_OTHERWISE[what]) == ()
    closed = (
        "SELECT closed_because, count(DISTINCT client_id) FROM history.appointments WHERE known_to = 2 GROUP BY ALL"
    )
    assert place.ask(closed) == [("vanished from its export", 1)]


def test_an_id_that_two_clients_held_at_one_time_is_a_group_and_is_never_moved(place):
    write(place, WHOLE)
    group = [*BEFORE, slot(5, 101), slot(5, 102)]
    night(place, 19, group)
    assert night(place, 20, [*BEFORE, slot(5, 101)]) == ()
    assert night(place, 21, [*BEFORE, slot(5, 102)]) == ()
    assert place.ask("SELECT count(DISTINCT client_id) FROM history.appointments") == [(2,)]
    assert slots_of(place) == {"101": 2, "102": 3}


def test_a_source_whose_ids_are_one_clients_moves_them_without_a_whole_export(place):
    write(place, 'appointment_ids = "one_client"')
    night(place, 19, BEFORE)
    assert night(place, 20, [slot(3, 101), slot(4, 101)]) == ()
    assert slots_of(place) == {"101": 4}
    assert taken_out(place, "101") == 0
    assert everything_of(place) == 0


def test_an_id_of_one_client_moves_also_with_another_start(place):
    write(place, 'appointment_ids = "one_client"')
    night(place, 19, BEFORE)
    night(place, 20, [slot(3, 101, hour=12)])
    assert slots_of(place) == {"101": 3, "102": 1}


GROUPS = {
    "held in the first night": [[slot(1, 101), slot(1, 102)], [slot(1, 103)]],
    "held tonight": [[slot(1, 101)], [slot(1, 101), slot(1, 102)]],
    "held in an earlier night": [[slot(1, 101)], [slot(1, 101), slot(1, 102)], [slot(1, 102)], [slot(1, 103)]],
}


@pytest.mark.parametrize(
    "more", ["", WHOLE, 'appointment_ids = "one_client"', WHOLE + '\nappointment_ids = "one_client"']
)
@pytest.mark.parametrize("case", GROUPS)
def test_an_id_that_two_clients_held_in_one_file_is_never_moved_and_not_told(place, case, more):
    write(place, more)
    clients = set()
    for day, slots in enumerate(GROUPS[case], start=19):
        assert night(place, day, [slot(2, 109), *slots]) == ()
        clients |= {each.split(",")[1] for each in slots}
    assert place.ask("SELECT count(DISTINCT client_id) FROM history.appointments") == [(len(clients) + 1,)]
    assert not forget.find_person(place_change(place.clinic, place.warehouse), "clinic", "101", None).probably_too


def test_the_check_shows_probable_moves_of_tonight_and_of_earlier_nights(place):
    write(place)
    night(place, 19, BEFORE)
    place.deliver("appointments_2026-11-20.csv", HEADER, AFTER[:3])
    assert checked(place, 20).startswith("1 appointments of the source appointments came under another client")
    night(place, 20, AFTER[:3])
    place.deliver("appointments_2026-11-21.csv", HEADER, AFTER)
    assert checked(place, 21).startswith("2 appointments of the source appointments came under another client")
    write(place, 'appointment_ids = "one_client"')
    assert checked(place, 21).startswith("1 appointments"), "the other one follows by itself"


def checked(place: Place, day: int) -> str:
    result = place.night(f"2026-11-{day}T03:00", but_for_finished_tables, is_check=True)
    (told,) = [each for each in result.troubles.warnings if "probable moves" in each]
    return told


# A merge that the clinic declares


def merged(place: Place, *lines: str) -> None:
    (place.folder / "merged.csv").write_text("space,merged,into\n" + "".join(f"{line}\n" for line in lines))
    write(place, top='merged_clients = "merged.csv"')


def test_a_declared_merge_moves_everything_and_stays_and_forget_takes_both(place):
    write(place)
    night(place, 19, BEFORE)
    night(place, 20, AFTER)
    merged(place, "clinic,102,101")
    night(place, 21, [slot(1, 101)])
    assert slots_of(place) == {"101": 4}
    assert place.ask("SELECT count(*) FROM history.appointments WHERE known_to IS NULL") == [(4,)]
    night(place, 22, [slot(1, 101)])
    assert place.ask("SELECT count(*) FROM load.changes WHERE load_id = 4 AND changed_count > 0") == [(0,)]
    assert place.ask("SELECT load_id, is_another_text FROM load.client_links") == [(3, True)]
    write(place)
    night(place, 23, [slot(2, 101), slot(6, 102)])
    assert slots_of(place) == {"101": 5}, "a merge is not taken back: the records of both are one person's since"
    merged(place, "clinic,102,101")
    assert {number for _, number in person(place, "102").numbers} == {"101", "102"}
    assert taken_out(place, "102") == 0
    assert everything_of(place) == 0


def person(place: Place, number: str) -> forget.Person:
    return forget.find_person(place_change(place.clinic, place.warehouse), "clinic", number, None)


def test_a_merge_has_a_direction_and_its_chains_end_in_one_number(tmp_path):
    spaces = Spaces(("practice", "phq"))
    merges, links = tmp_path / "merged.csv", tmp_path / "links.csv"
    merges.write_text("space,merged,into\npractice,3,2\npractice,2,1\n")
    links.write_text("space,id,space,id\nphq,9,practice,3\n")
    found = read_client_links(links, spaces, merges)
    assert set(found.goes_by.values()) == {("phq", "9")}
    assert {number for _, number in found.numbers_of(("practice", "1"))} == {"1", "2", "3", "9"}
    alone = read_client_links(None, spaces, merges)
    assert set(alone.goes_by.values()) == {("practice", "1")}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("practice,1,2\npractice,2,1\n", "line 2: it leads back to where it began"),
        ("practice,1,1\n", "line 1: it leads back to where it began"),
        ("practice,1,2\npractice,1,3\n", "line 2: another line merges this number into another one"),
        ("practice,1\n", "line 1: it must have three values, space, merged and into"),
        ("1,practice,2\n", "line 1: value 1 is no source's id space; known are 'practice'"),
    ],
)
def test_a_merge_that_cannot_be_is_refused_by_its_line(tmp_path, lines, reason):
    (tmp_path / "merged.csv").write_text(lines)
    with pytest.raises(ValueError, match=reason):
        read_client_links(None, Spaces(("practice",)), tmp_path / "merged.csv")
