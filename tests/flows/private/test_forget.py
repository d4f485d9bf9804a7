"""A person taken out: of the published file, the kept ones, the private tree; and not brought back."""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

import rapport.flows.ops.forget
from rapport.flows.ops.forget import find_person, forget, main, still_holding
from rapport.flows.ops.restore import restore
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.private.key import read_key
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.derived.comparison import broken_books
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store import compaction
from rapport.warehouse.store.building_file import open_published
from rapport.warehouse.store.compaction import stored_rows
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, CLINIC, RESPONSES, Place, answered, held, open_place

BORN = "1999-12-31"
WITH_CLIENTS = CLINIC + '\n[sources.clients]\nfiles = "clients_%Y-%m-%d*.csv"\nid_space = "clinic"\n'


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory):
    """Two nights of few tables."""
    with few_tables():
        return two_nights_at(tmp_path_factory.mktemp("forget") / "clinic")


def two_nights_at(folder: Path) -> Place:
    """Two nights of four clients; client C1 has a birth date, and shares a group session with C2."""
    made = open_place(folder, WITH_CLIENTS)
    made.deliver("clients_2026-11-11.csv", "client_id,birth_date,sex", [f"C1,{BORN},female", "C2,2001-02-03,male"])
    for day in (11, 13):
        rows = [held(client, each) for client in range(4) for each in range(day - 2, day)]
        shared = [f"G{day},C{client},2026-11-{day - 1:02d}T18:00,attended,T0" for client in (1, 2)]
        made.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, [*rows, *shared])
        kept = [row for client in range(4) for each in range(day - 2, day) for row in answered(client, each)]
        made.deliver(f"responses_2026-11-{day}.csv", RESPONSES, [*kept, f"RX{day},C1,srs,client,2026-11-09,1,99"])
        made.night(f"2026-11-{day}T12:00")
    return made


@pytest.fixture
def place(two_nights, short_nights, tmp_path):
    return two_nights.copied_to(tmp_path / "clinic")


def order_of(place):
    return place_change(place.clinic, place.warehouse)


def pseudonym(place, client: str = "C1") -> str:
    return Pseudonyms(read_key(order_of(place).folders)).one("clinic", "client", client)


def forgotten(place, since: date | None = None):
    order = order_of(place)
    return forget(order, find_person(order, "clinic", "C1", since))


def everything_kept(place) -> list:
    folders = order_of(place).folders
    return [*kept_versions(folders.published), *kept_versions(folders.crosswalk)]


def traces(place, ids: set[str], words: Collection[str] = ("C1", BORN)) -> list[str]:
    """Where any of these pseudonyms, the record number or the birth date can be read, or still lies deleted."""
    wanted = {*ids, *words, *(word.replace("-", "") for word in words)}
    found = []
    for path in everything_kept(place):
        if path.suffix == ".parquet":
            cells = {str(cell) for row in pl.read_parquet(path).iter_rows() for cell in row}
            found += [f"{path.name} {cell}" for cell in cells & wanted]
            continue
        with open_published(path) as con:
            for table, stored in stored_rows(con).items():
                cells = {str(cell).replace("-", "") for row in con.sql(f"FROM {table}").fetchall() for cell in row}
                found += [f"{table} {cell}" for cell in cells & wanted]
                found += [f"{table} holds deleted rows"] if stored > _count(con, table) else []
    return found


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.sql(f"SELECT count(*) FROM {table}").fetchone()[0]


def ids_of(place) -> set[str]:
    """Every id that is one person's alone, before anything is taken out."""
    own = f"client_id = '{pseudonym(place)}'"
    tables = {"client": "clients", "session": "sessions", "response": "responses", "episode": "episodes"}
    queries = [f"SELECT {name}_id FROM {table} WHERE {own}" for name, table in tables.items()]
    return {str(value).replace("-", "") for query in queries for (value,) in place.ask(query)}


def test_no_trace_of_the_person_is_left_in_any_table_of_any_file_that_is_kept(tmp_path):
    place = two_nights_at(tmp_path / "clinic")
    ids = ids_of(place)
    assert len(ids) > 8
    assert traces(place, ids)
    others = "SELECT client_id, count(*) FROM scores WHERE client_id <> '{0}' GROUP BY ALL ORDER BY ALL"
    before = place.ask(others.format(pseudonym(place)))
    done = forgotten(place)
    assert traces(place, ids) == []
    assert place.ask(others.format(pseudonym(place))) == before
    assert (done.load_id, done.cleaned.versions) == (3, 2)
    assert done.erased_rows > 10 and done.cleaned.rows > 20
    said = (place.warehouse / "private/receipts.jsonl").read_text()
    assert json.loads(said)["rows"] == done.erased_rows
    assert not any(each in said for each in {*ids, "C1", BORN})


def test_without_compaction_what_was_deleted_still_lies_in_the_files(place, monkeypatch):
    ids = ids_of(place)
    monkeypatch.setattr(compaction, "compact", lambda path: None)
    monkeypatch.setattr(compaction, "copy_compactly", lambda source, to: to.write_bytes(source.read_bytes()))
    forgotten(place)
    assert any(trace.endswith("holds deleted rows") for trace in traces(place, ids))


def test_an_export_that_still_holds_the_person_does_not_bring_them_back(place):
    ids = ids_of(place)
    forgotten(place)
    place.clinic.write_text(
        place.clinic.read_text().replace('id_space = "clinic"', 'id_space = "clinic"\nnulls = ["-"]')
    )
    place.deliver("appointments_2026-11-14.csv", APPOINTMENTS, [held(1, 13), held(2, 13)])
    place.deliver("clients_2026-11-14.csv", "client_id,birth_date,sex", [f"C1,{BORN},female"])
    place.night("2026-11-14T12:00")
    assert traces(place, ids) == []
    assert place.ask("SELECT ignored_count FROM load.files WHERE load_id = 4 ORDER BY record_count") == [
        (1,),
        (1,),
        (1,),
    ]


def test_the_exports_that_still_hold_the_record_are_named_on_the_terminal_alone(place, capsys):
    asked = ["--space", "clinic", "--client", "C1", "--exports", str(place.exports)]
    assert main([*asked, "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 0
    told = capsys.readouterr().out
    listed = sorted(line.strip() for line in told.splitlines() if line.startswith("  "))
    assert listed == sorted(path.name for path in place.exports.iterdir())
    order = order_of(place)
    (place.exports / "clients_2026-11-11.csv").unlink()
    person = find_person(order, "clinic", "C1", None)
    assert "clients_2026-11-11.csv" not in list(still_holding(order, place.exports, person))


def test_a_number_that_nobody_has_is_refused_and_buries_nobody(place, capsys):
    with pytest.raises(
        Unusable, match=r"no client with this number is known in the id space 'clinic'; known .* clinic"
    ):
        find_person(order_of(place), "clinic", "C99", None)
    assert not order_of(place).folders.tombstones.exists()


def test_an_interrupted_forget_is_finished_by_the_next(place, monkeypatch):
    ids = ids_of(place)
    with monkeypatch.context() as broken:
        broken.setattr(rapport.flows.ops.forget, "publish_load", lambda *_, **__: 1 / 0)
        with pytest.raises(Exception, match="broke"):
            forgotten(place)
    assert traces(place, ids)
    forgotten(place)
    assert traces(place, ids) == []


def test_a_consent_withdrawn_from_a_day_on_takes_out_what_is_dated_then_or_later(place):
    days = "SELECT DISTINCT session_date::VARCHAR FROM sessions WHERE client_id = '{0}' ORDER BY 1"
    assert len(place.ask(days.format(pseudonym(place)))) == 4
    forgotten(place, date(2026, 11, 11))
    assert place.ask(days.format(pseudonym(place))) == [("2026-11-09",), ("2026-11-10",)]
    last = "SELECT max(completed_on)::VARCHAR FROM history.responses WHERE client_id = '{0}'"
    assert place.ask(last.format(pseudonym(place))) == [("2026-11-10",)]
    assert read_crosswalk(order_of(place).folders.crosswalk)["pseudonym"].is_in([pseudonym(place)]).any()
    place.deliver("appointments_2026-11-15.csv", APPOINTMENTS, [held(1, 10), held(1, 14)])
    place.night("2026-11-15T12:00")
    assert place.ask(days.format(pseudonym(place))) == [("2026-11-09",), ("2026-11-10",)]


def test_an_erasure_takes_the_amounts_of_every_load_so_far_out_of_every_kept_file(place):
    forgotten(place)
    moved = "SELECT load_id, cause, numerator_change FROM load.movements WHERE headline = 'clients' ORDER BY ALL"
    assert place.ask(moved) == [(1, "new", None), (3, "erased", None), (3, "standing", 3.0)]
    told = "SELECT load_id, cause, value_after, not_told FROM load.why_it_moved WHERE headline = 'clients' ORDER BY ALL"
    reason = "a person was taken out since"
    assert place.ask(told) == [(1, "new", None, reason), (3, "erased", None, reason), (3, "standing", 3.0, None)]
    for version in kept_versions(order_of(place).folders.published):
        with open_published(version) as con:
            amounts = "SELECT count(added_count) + count(changed_count) + count(removed_count) FROM load.changes"
            assert con.sql(amounts).fetchone() == (0,)
            assert set(con.sql("SELECT cause FROM load.movements WHERE numerator_change IS NOT NULL").fetchall()) == {
                ("standing",)
            }


def test_after_an_erasure_the_next_load_moves_from_what_stands(place):
    forgotten(place)
    place.deliver("appointments_2026-11-14.csv", APPOINTMENTS, [held(7, 13)])
    place.night("2026-11-14T12:00")
    told = """SELECT cause, value_before, value_after FROM load.why_it_moved
        WHERE headline = 'clients' AND load_id = 4"""
    assert place.ask(told) == [("new", 3.0, 4.0)]


@pytest.mark.parametrize(("since", "begun_anew"), [(None, 1), (date(2026, 11, 11), 0)])
def test_a_version_from_before_an_erasure_says_of_itself_what_it_holds_and_can_be_published_again(
    place, since, begun_anew
):
    forgotten(place, since)
    order = order_of(place)
    for version in kept_versions(order.folders.published):
        with open_published(version) as con:
            assert broken_books(con) == []
    restore(order, 1)
    assert verify(order_of(place)).books == []
    standing = "SELECT count(*) FROM load.movements WHERE cause = 'standing' AND headline = 'clients'"
    assert place.ask(standing) == [(begun_anew,)]  # load 1 knew nothing of that day, so nothing was taken out of it


def test_pages_that_could_not_be_drawn_after_an_erasure_are_told_and_exit_4(place, monkeypatch, capsys):
    monkeypatch.setattr("rapport.flows.pages.draw.draw_pages", lambda _: 1 / 0)
    given = ["--space", "clinic", "--client", "C1", "--exports", str(place.exports)]
    given += ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert main(given) == 4
    assert "The pages could not be drawn (ZeroDivisionError); those of before stand" in capsys.readouterr().err
