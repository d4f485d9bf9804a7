"""Requests of erasure wait in the private tree: neither a shell's history nor Prefect holds whom they are about."""

import pytest

from rapport.flows.ops.erasure_requests import fulfil, main, waiting
from rapport.flows.order import place_change
from rapport.warehouse.errors import RapportError, Unusable
from tests.clinics.nights import open_place

HEADING = "space,client,since"


@pytest.fixture
def asked(yesterday):
    """Write requests of a clinic with a published night; out come its folders."""

    def write(*lines: str):
        folders = place_change(yesterday.clinic, yesterday.warehouse).folders
        folders.erasure_requests.write_text("\n".join((HEADING, *lines)) + "\n", encoding="utf-8")
        return folders

    write.place = yesterday
    return write


def fulfilled(place) -> list[str]:
    told = []
    fulfil(place.exports, place.clinic, place.warehouse, told.append)
    return told


def clients(place) -> int:
    return place.ask("SELECT count(*) FROM clients")[0][0]


def test_everybody_for_whom_a_request_waits_is_taken_out_and_the_lines_leave_the_file(asked):
    folders, before = asked("clinic,C1,", "", "clinic, C0 ,2026-11-17"), clients(asked.place)
    _renamed_to_a_formula(asked.place, "appointments_2026-11-18.csv")
    told = fulfilled(asked.place)
    assert clients(asked.place) == before - 1  # of the second, what is dated before that day stays
    assert asked.place.ask("SELECT purpose FROM load.loads WHERE outcome = 'published'") == [
        ("night",),
        *[("forget",)] * 2,
    ]
    assert folders.erasure_requests.read_text() == f"{HEADING}\n"
    for written in (folders.erasure_requests, folders.still_holding):
        assert written.stat().st_mode & 0o777 == 0o600
    assert len(told) == 2
    assert not any("C1" in line or "C0" in line for line in told)
    head, *held = folders.still_holding.read_text().splitlines()
    assert head == "load_id,file"
    assert "2,'=1+appointments_2026-11-18.csv" in held  # no spreadsheet runs it


def _renamed_to_a_formula(place, name: str) -> None:
    """As an export that a system names so would be."""
    clinic = place.clinic.read_text(encoding="utf-8")
    place.clinic.write_text(clinic.replace('files = "app', 'files = "*app'), encoding="utf-8")
    (place.exports / name).rename(place.exports / f"=1+{name}")


def test_a_request_that_names_nobody_stays_and_those_behind_it_are_done(asked):
    folders, before = asked("C1,clinic,", "clinic,C1,"), clients(asked.place)
    with pytest.raises(RapportError) as stopped:
        fulfilled(asked.place)
    assert str(stopped.value).startswith("1 of 2 requests in private/forget.csv name nobody who is known (now line 2);")
    assert "C1" not in str(stopped.value)  # somebody may have put the number in the other column
    assert clients(asked.place) == before - 1
    assert folders.erasure_requests.read_text() == f"{HEADING}\nC1,clinic,\n"


@pytest.mark.parametrize(
    "line",
    ["clinic", "clinic,", "clinic,C1", ",C1,", "clinic,C1,22.11.2026", "clinic,C1,9999-12-31", "clinic,C1,,more"],
)
def test_a_line_that_is_no_request_stops_all_and_is_named_by_its_number(asked, line, capsys):
    asked("clinic,C1,", line)
    before, place = clients(asked.place), asked.place
    folders = ["--exports", str(place.exports), "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert main(folders) == Unusable.status
    said = capsys.readouterr().err
    assert said.startswith(
        "line 3 of private/forget.csv is not a request; write one request per line under the heading space,client,since"
    )
    assert "C1" not in said
    assert clients(place) == before


def test_without_requests_nothing_is_loaded_even_before_the_first_night(tmp_path, yesterday):
    empty = open_place(tmp_path / "new")
    assert fulfilled(empty) == []
    assert fulfilled(yesterday) == []
    assert len(yesterday.ask("FROM load.loads")) == 1


def test_a_file_with_another_heading_is_refused(asked):
    folders = asked()
    folders.erasure_requests.write_text("clinic,C1\n")
    with pytest.raises(Unusable, match="does not begin with space,client,since"):
        waiting(folders)


def test_a_request_that_is_written_while_another_is_met_is_not_lost(asked):
    folders, place, told = asked("clinic,C1,"), asked.place, []

    def write_one_more(*given):
        folders.erasure_requests.write_text(folders.erasure_requests.read_text() + "clinic,C0,2026-11-17\n")
        return []

    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setattr("rapport.flows.ops.erasure_requests.still_holding", write_one_more)
        assert fulfil(place.exports, place.clinic, place.warehouse, told.append) == 1
    assert folders.erasure_requests.read_text() == f"{HEADING}\nclinic,C0,2026-11-17\n"


def test_what_went_wrong_beside_an_erasure_is_told(asked, monkeypatch):
    asked("clinic,C1,")
    monkeypatch.setattr("rapport.flows.pages.draw.draw_pages", lambda _: 1 / 0)
    told = fulfilled(asked.place)
    assert told[0].startswith("one request is done")
    assert told[1].startswith("The pages could not be drawn (ZeroDivisionError); those of before stand")


def test_lines_are_counted_as_they_stand_in_the_file(asked):
    asked("", "clinic,C99,", "", "clinic,C98,")
    with pytest.raises(RapportError, match=r"2 of 2 requests .* \(now line 3, 5\)"):
        fulfilled(asked.place)


def test_a_line_that_is_no_csv_is_named_by_its_number(asked):
    folders = asked("clinic,C1,", f"clinic,{'C' * 200_000},")
    with pytest.raises(Unusable, match=r"line 3 of private/forget\.csv is not CSV; write one request per line"):
        waiting(folders)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", r"private/forget\.csv does not begin with"),  # its heading stays when the last request is done
        ("space,client,since\n\u00e9,C1,".encode("latin-1"), r"private/forget\.csv is damaged: it is not UTF-8"),
        (b"space,client,since\nclinic,C1", "line 2 of private/forget.csv is not a request"),  # of C12, cut off
    ],
)
def test_a_file_that_was_emptied_or_damaged_is_refused(asked, written, said):
    folders = asked()
    folders.erasure_requests.write_bytes(written)
    with pytest.raises(Unusable, match=said):
        waiting(folders)
