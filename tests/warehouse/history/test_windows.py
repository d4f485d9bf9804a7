"""What an export covers and leaves out has vanished; what it does not cover says nothing."""

import pytest

from rapport.warehouse.errors import Refused, Unusable
from tests.clinics.nights import APPOINTMENTS, CLINIC, held, open_place

pytestmark = pytest.mark.usefixtures("short_nights")
WHOLE = CLINIC.replace('%d*.csv"\n\n', '%d*.csv"\ncovers = "all"\n\n', 1)
WINDOW = WHOLE.replace('"all"', '"3 days"')
NOON = "2026-11-{:02d}T12:00"
VERSIONS = """SELECT date_part('day', starts_local), known_from, known_to, closed_because
    FROM history.appointments ORDER BY ALL"""
IN_MAIN = "SELECT date_part('day', starts_local)::INTEGER FROM appointments ORDER BY ALL"


def deliver(place, day: int, days: list[int], name: str = "") -> None:
    """An export made on the morning of a day that holds client 1's appointments of these days."""
    place.deliver(f"appointments_2026-11-{day:02d}{name}.csv", APPOINTMENTS, [held(1, each) for each in days])


def shown(place) -> list[int]:
    return [day for (day,) in place.ask(IN_MAIN)]


def test_a_record_that_a_whole_export_leaves_out_leaves_main_and_stays_in_history_with_the_reason(tmp_path):
    place = open_place(tmp_path / "clinic", WHOLE)
    deliver(place, 12, [10, 11])
    place.night(NOON.format(12))
    deliver(place, 13, [10])
    tonight = place.night(NOON.format(13))
    assert shown(place) == [10]
    assert place.ask(VERSIONS) == [(10, 1, None, None), (11, 1, 2, "vanished from its export")]
    assert place.ask("SELECT load_id, vanished_count FROM load.files ORDER BY ALL") == [(1, 0), (2, 1)]
    assert (tonight.intake.checked.vanished, tonight.publication.computed.client_count) == ([("appointments", 1)], 1)


def test_a_record_that_comes_back_is_a_new_version(tmp_path):
    place = open_place(tmp_path / "clinic", WHOLE)
    for day, days in ((12, [10, 11]), (13, [10]), (14, [10, 11])):
        deliver(place, day, days)
        place.night(NOON.format(day))
    assert shown(place) == [10, 11]
    assert place.ask(VERSIONS)[1:] == [(11, 1, 2, "vanished from its export"), (11, 3, None, None)]


def test_an_export_that_says_nothing_of_what_it_covers_closes_nothing(tmp_path):
    place = open_place(tmp_path / "clinic")
    deliver(place, 12, [10, 11])
    place.night(NOON.format(12))
    deliver(place, 13, [10])
    place.night(NOON.format(13))
    assert shown(place) == [10, 11]


@pytest.mark.parametrize(("exported", "kept"), [(13, [8, 9, 10]), (14, [8, 9, 10, 11]), (12, [8, 9, 10, 11])])
def test_a_window_of_three_days_closes_what_lies_safely_inside_it(tmp_path, exported, kept):
    place = open_place(tmp_path / "clinic", WINDOW)
    deliver(place, 12, [9, 10, 11])
    place.night(NOON.format(12))
    deliver(place, exported, [8], "_other")
    place.night(NOON.format(14))
    assert shown(place) == kept


def test_ten_exports_at_once_leave_what_they_leave_one_by_one(tmp_path):
    exports = [(12, [9, 10, 11]), (13, [9, 11]), (14, [9, 10, 11]), (15, [9, 10])]
    one, other = (open_place(tmp_path / name, WHOLE) for name in ("one", "other"))
    for day, days in exports:
        deliver(one, day, days)
        one.night(NOON.format(day))
        deliver(other, day, days)
    other.night(NOON.format(15))
    assert shown(one) == shown(other) == [9, 10]


def test_an_old_whole_export_that_comes_late_closes_nothing_newer_and_what_it_adds_has_vanished_since(tmp_path):
    place = open_place(tmp_path / "clinic", WHOLE)
    deliver(place, 12, [10])
    place.night(NOON.format(12))
    deliver(place, 14, [10, 11])
    place.night(NOON.format(14))
    deliver(place, 13, [9])
    place.night(NOON.format(15))
    assert shown(place) == [10, 11]
    assert place.ask(VERSIONS)[0] == (9, 3, 3, "vanished from its export")
    place.clinic.write_text(place.clinic.read_text().replace('covers = "all"', 'covers = "all"\nnulls = ["-"]'))
    place.night(NOON.format(15))
    assert len(place.ask(VERSIONS)) == 3


def test_a_row_that_is_held_back_has_not_vanished(tmp_path):
    place = open_place(tmp_path / "clinic", "quarantine_limit = 0.9\n" + WHOLE)
    deliver(place, 12, [10, 11])
    place.night(NOON.format(12))
    rows = [held(1, 10), held(1, 11).replace("attended", "vanished?")]
    place.deliver("appointments_2026-11-13.csv", APPOINTMENTS, rows)
    place.night(NOON.format(13))
    assert shown(place) == [10, 11]


def test_an_export_with_a_record_that_cannot_be_identified_closes_nothing(tmp_path):
    place = open_place(tmp_path / "clinic", "quarantine_limit = 0.9\n" + WHOLE)
    deliver(place, 12, [10, 11])
    place.night(NOON.format(12))
    nameless = held(1, 11).partition(",")[2]
    place.deliver("appointments_2026-11-13.csv", APPOINTMENTS, [held(1, 10), f",{nameless}"])
    place.night(NOON.format(13))
    assert shown(place) == [10, 11]
    assert place.ask("SELECT covers FROM load.files ORDER BY load_id") == [("all",), (None,)]


@pytest.mark.parametrize("left", [[], list(range(1, 9))])
def test_a_suspiciously_small_export_stops_the_night_before_anything_is_closed(tmp_path, left):
    place = open_place(tmp_path / "clinic", WHOLE)
    place.deliver("appointments_2026-11-25.csv", APPOINTMENTS, [held(1, day) for day in range(1, 25)])
    place.night(NOON.format(25))
    standing = place.standing()
    place.deliver("appointments_2026-11-26.csv", APPOINTMENTS, [held(1, day) for day in left])
    with pytest.raises(Refused, match=f"leaves out {24 - len(left)} of the 24 known that it covers, more than 20%"):
        place.night(NOON.format(26))
    assert place.standing() == standing


def test_a_few_may_always_vanish_and_a_clinic_may_allow_more(tmp_path):
    place = open_place(tmp_path / "clinic", "vanished_limit = 0.9\n" + WHOLE)
    place.deliver("appointments_2026-11-25.csv", APPOINTMENTS, [held(1, day) for day in range(1, 25)])
    place.night(NOON.format(25))
    place.deliver("appointments_2026-11-26.csv", APPOINTMENTS, [held(1, day) for day in range(1, 9)])
    place.night(NOON.format(26))
    assert shown(place) == list(range(1, 9))


@pytest.mark.parametrize("covers", ["1 days", "a week", "3 weeks", "all of it"])
def test_what_is_no_window_is_refused(tmp_path, covers):
    place = open_place(tmp_path / "clinic", WHOLE.replace('"all"', f'"{covers}"'))
    with pytest.raises(Unusable, match=r"\[sources.appointments\] covers = '.*' is neither 'all' nor a number of days"):
        place.night(NOON.format(12))


def test_what_has_no_day_is_covered_whole_or_not_at_all(tmp_path):
    place = open_place(tmp_path / "clinic", CLINIC + '\n[sources.episodes]\ncovers = "9 days"\n')
    with pytest.raises(Unusable, match="episodes have no day of their own; use 'all'"):
        place.night(NOON.format(12))


def test_a_copy_of_the_latest_export_read_beside_another_closes_what_that_brought(tmp_path):
    place = open_place(tmp_path / "clinic", WHOLE)
    deliver(place, 12, [10])
    place.night(NOON.format(12))
    deliver(place, 13, [10, 11])
    deliver(place, 14, [10])
    place.night(NOON.format(14))
    assert shown(place) == [10]


def test_a_copy_of_a_window_closes_what_has_come_into_it_since(tmp_path):
    place = open_place(tmp_path / "clinic", WINDOW)
    deliver(place, 11, [8, 12])
    place.night(NOON.format(11))
    deliver(place, 12, [8], "_other")
    place.night(NOON.format(12))
    assert shown(place) == [8, 12]
    deliver(place, 14, [8])
    place.night(NOON.format(14))
    assert shown(place) == [8]


def test_what_a_newer_export_held_back_has_not_vanished_when_an_older_one_comes_late(tmp_path):
    place = open_place(tmp_path / "clinic", "quarantine_limit = 0.9\n" + WINDOW)
    deliver(place, 12, [10, 11])
    place.night(NOON.format(12))
    rows = [held(1, 10), held(1, 11).replace("attended", "vanished?")]
    place.deliver("appointments_2026-11-14.csv", APPOINTMENTS, rows)
    place.night(NOON.format(14))
    deliver(place, 13, [10])
    place.night(NOON.format(15))
    assert shown(place) == [10, 11]


def test_what_was_moved_into_the_window_of_an_export_that_leaves_it_out_has_vanished(tmp_path):
    place = open_place(tmp_path / "clinic", WINDOW)
    deliver(place, 10, [5, 9])
    place.night(NOON.format(10))
    moved = held(1, 5).replace("11-05", "11-11")
    place.deliver("appointments_2026-11-12.csv", APPOINTMENTS, [held(1, 9), moved])
    deliver(place, 13, [9])
    place.night(NOON.format(13))
    assert shown(place) == [9]
