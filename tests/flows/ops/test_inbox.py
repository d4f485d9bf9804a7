"""The quarantine as an inbox: what waits, what heals, what is discarded, what is gone; and the commands for it."""

import pytest

from rapport import expectations
from rapport.flows.ops.inbox import discard, main, show
from rapport.flows.order import place_change
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import APPOINTMENTS, CLINIC, held, open_place

pytestmark = pytest.mark.usefixtures("short_nights")
LOOSE = "quarantine_limit = 0.9\n" + CLINIC
NOON = "2026-11-{:02d}T12:00"
GOOD, BAD = held(1, 10), held(1, 10).replace("attended", "atended")
STATES = "SELECT state, load_id, settled_by FROM load.quarantine ORDER BY quarantine_id"


@pytest.fixture
def place(tmp_path):
    return open_place(tmp_path / "clinic", LOOSE)


def deliver(place, day: int, *rows: str) -> None:
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, [held(2, day), *rows])
    place.night(NOON.format(day))


def states(place) -> list[tuple]:
    return place.ask(STATES)


def arguments(place, *more: str) -> list[str]:
    return [more[0], "--clinic", str(place.clinic), "--warehouse", str(place.warehouse), *more[1:]]


def test_a_row_that_a_newer_export_mends_is_released(place):
    deliver(place, 11, BAD)
    assert states(place) == [("waiting", 1, None)]
    deliver(place, 12, GOOD)
    assert states(place) == [("released", 1, 2)]


def test_a_row_that_a_newer_export_repeats_waits_once(place):
    deliver(place, 11, BAD)
    deliver(place, 12, BAD, held(3, 11))
    assert states(place) == [("source_gone", 1, 2), ("waiting", 2, None)]


def test_an_older_export_that_comes_late_releases_nothing(place):
    deliver(place, 12, BAD)
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [GOOD])
    place.night(NOON.format(13))
    assert states(place) == [("waiting", 1, None)]


def test_a_row_that_comes_late_does_not_wait_when_a_newer_export_was_accepted(place):
    deliver(place, 12, GOOD)
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [held(2, 10), BAD])
    place.night(NOON.format(13))
    assert states(place) == [("released", 2, 2)]


def test_a_row_that_comes_late_does_not_wait_when_a_newer_whole_export_stands_in_its_place(place):
    place.clinic.write_text(LOOSE.replace('%d*.csv"\n\n', '%d*.csv"\ncovers = "all"\n\n', 1))
    deliver(place, 12, held(3, 10))
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [held(2, 10), BAD])
    place.night(NOON.format(13))
    assert states(place) == [("source_gone", 2, 2)]


def test_a_row_held_twice_alike_in_a_newer_export_waits_there(place):
    deliver(place, 11, BAD)
    deliver(place, 12, BAD, BAD)
    assert states(place) == [("source_gone", 1, 2), ("waiting", 2, None)]


def test_a_row_whose_file_is_gone_can_no_longer_heal(place):
    deliver(place, 11, BAD)
    (place.exports / "appointments_2026-11-11.csv").unlink()
    deliver(place, 12)
    assert states(place) == [("source_gone", 1, 2)]


def test_a_row_heals_when_the_clinic_file_learns_to_read_it(place):
    deliver(place, 11, held(1, 10).replace("T1", "T1").replace("attended", "-"))
    assert states(place) == [("waiting", 1, None)]
    place.clinic.write_text(LOOSE.replace('%d*.csv"\n\n', '%d*.csv"\nnulls = ["x"]\n\n', 1))
    place.night(NOON.format(12))
    assert states(place) == [("waiting", 1, None)]


def test_a_row_heals_when_the_rules_change_and_only_files_with_waiting_rows_are_read_again(place, monkeypatch):
    deliver(place, 11, BAD)
    place.deliver("appointments_2026-11-12.csv", APPOINTMENTS, [held(3, 11)])
    place.night(NOON.format(12))
    monkeypatch.setattr(expectations, "rules_version", lambda: "other rules")
    again = place.night(NOON.format(13))
    assert [delivery.path.name for delivery in again.intake.found.deliveries] == ["appointments_2026-11-11.csv"]
    assert states(place) == [("waiting", 1, None)]
    assert place.night(NOON.format(14)).intake.found.deliveries == ()


def test_a_row_waits_on_in_an_identical_copy_of_its_file(place):
    deliver(place, 11, BAD)
    place.drop("appointments_2026-11-12.csv", (place.exports / "appointments_2026-11-11.csv").read_bytes())
    (place.exports / "appointments_2026-11-11.csv").unlink()
    place.night(NOON.format(12))
    assert states(place) == [("waiting", 1, None)]


def test_a_discarded_row_stays_out_of_the_inbox_in_later_exports(place):
    deliver(place, 11, BAD)
    standing = place.standing()
    assert discard(place_change(place.clinic, place.warehouse), [1]).load_id == 2
    assert standing[2] == place.standing()[2]
    assert states(place) == [("discarded", 1, 2)]
    assert place.ask("SELECT purpose, outcome, reason FROM load.loads WHERE load_id = 2") == [
        ("discard", "published", "1 rows of quarantine discarded")
    ]
    deliver(place, 12, BAD, held(3, 11))
    assert states(place) == [("discarded", 1, 2), ("discarded", 3, 3)]


def test_what_does_not_wait_cannot_be_discarded_and_nothing_is_published(place):
    deliver(place, 11, BAD)
    standing = place.standing()
    with pytest.raises(Unusable, match="one of these rows does not wait"):
        discard(place_change(place.clinic, place.warehouse), [1, 7])
    assert place.standing() == standing


def test_the_inbox_is_listed_without_values_and_shown_with_them(place, capsys):
    deliver(place, 11, BAD)
    assert main(arguments(place, "list")) == 0
    listed = capsys.readouterr().out
    assert "status_unknown" in listed
    assert "atended" not in listed
    assert main(arguments(place, "show", "--exports", str(place.exports), "1")) == 0
    assert "status: atended" in capsys.readouterr().out
    assert main(arguments(place, "discard", "1")) == 0
    assert main(arguments(place, "list")) == 0
    assert "Nothing is waiting." in capsys.readouterr().out


def test_a_row_of_a_file_that_was_changed_since_is_not_shown(place):
    deliver(place, 11, BAD)
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [GOOD])
    order = place_change(place.clinic, place.warehouse)
    with pytest.raises(Unusable, match="no longer in the exports folder, or was changed since"):
        show(order, place.exports, 1)
    with pytest.raises(Unusable, match="there is no row 9"):
        show(order, place.exports, 9)


def test_nothing_is_looked_up_in_a_warehouse_that_has_published_nothing(place, capsys):
    assert main(arguments(place, "list")) == 2
    assert "has published nothing yet" in capsys.readouterr().err
