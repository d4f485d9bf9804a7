"""Numbers that differ in case, zeros or marks alone are listed, and never joined by a guess."""

import polars as pl
import pytest

from rapport.flows.ops import forget
from rapport.flows.pages.draw import Drawn
from rapport.flows.private.look_alikes import look_alikes
from rapport.flows.steps.check import Checked
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, open_place


def people(*numbers: str, same: bool = False) -> pl.DataFrame:
    rows = [("client", "practice", number, "p" if same else number) for number in numbers]
    return pl.DataFrame(rows, ["kind", "id_space", "number", "pseudonym"], orient="row")


@pytest.mark.parametrize(
    ("one", "other"),
    [("ab1", "AB1"), ("137", "00137"), ("A7", "A-7"), ("Jose", "José"), ("Smith, J", "Smith J."), ("A07", "A7")],
)
def test_numbers_that_differ_in_case_zeros_or_marks_alone_look_alike(one, other):
    first, second = sorted((one, other))
    assert look_alikes(people(one, other, "X")).rows() == [("practice", second, first)]
    assert not look_alikes(people(one, other, same=True)).height, "one person's two writings are no two people"


@pytest.mark.parametrize(("one", "other"), [("137", "1370"), ("A1", "B1"), ("10", "100"), ("--", "..")])
def test_other_numbers_do_not(one, other):
    assert not look_alikes(people(one, other)).height


def test_a_night_lists_them_and_tells_the_new_ones_once_and_who_is_forgotten_leaves_the_list(tmp_path, monkeypatch):
    for name, made in {
        "forget.check_tables": Checked(), "publish_load.draw": Drawn()}.items():  # fmt: skip
        monkeypatch.setattr(f"rapport.flows.ops.{name}", lambda *_, made=made: made)
    place = open_place(tmp_path / "clinic")
    listed = place.warehouse / "private/look_alikes.csv"
    with few_tables():
        (told,) = night(place, 11, "ab1", "AB1", "C2")
        assert told.startswith(
            "1 clients' numbers of the id space 'clinic' are new, and differ from another only in case"
        )
        assert listed.read_text() == "space,client,looks_like\nclinic,ab1,AB1\n"
        assert listed.stat().st_mode & 0o777 == 0o600
        assert place.ask("SELECT count(*) FROM clients") == [(3,)], "nobody is joined"
        assert night(place, 12, "ab1", "AB1", "C2") == ()
        given = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
        assert forget.main([*given, "--space", "clinic", "--client", "ab1"]) == 0
        assert not listed.exists()


def night(place: Place, day: int, *clients: str) -> tuple[str, ...]:
    slots = [f"{client}-{day},{client},2026-11-{day - 1}T10:00,attended,T1" for client in clients]
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, slots)
    return place.night(f"2026-11-{day}T12:00", but_for_finished_tables).troubles.warnings
