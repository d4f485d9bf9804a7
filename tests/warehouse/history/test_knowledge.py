"""What was known when, why a number moved, whether the file follows from its records, and going back."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from rapport import transforms
from rapport.flows.ops.as_known_on import as_known_on
from rapport.flows.ops.restore import main as restore_main
from rapport.flows.ops.restore import restore
from rapport.flows.ops.verify import main as verify_main
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.warehouse.errors import DidNotRun, Unusable
from rapport.warehouse.places import versions
from rapport.warehouse.store.building_file import open_file
from rapport.warehouse.store.compaction import copy_compactly, empty_share
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import (
    APPOINTMENTS,
    CLINIC,
    RESPONSES,
    Place,
    answered,
    differences,
    held,
    open_place,
    writable,
)

WHOLE = CLINIC.replace('%d*.csv"\n\n', '%d*.csv"\ncovers = "all"\n\n', 1)
NOON = "2026-11-{:02d}T12:00"


def deliver(place, day: int, days: list[int], *more: str) -> None:
    """What was held on these days, by clients 1 and 2, exported on a day; and the night after."""
    met = [(client, each) for client in (1, 2) for each in days]
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, [*(held(*each) for each in met), *more])
    place.deliver(f"responses_2026-11-{day}.csv", RESPONSES, [row for each in met for row in answered(*each)])
    place.night(NOON.format(day))


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    """Three nights of few tables."""
    with few_tables():
        return three_nights_at(tmp_path_factory.mktemp("knowledge") / "clinic")


@pytest.fixture(scope="module")
def three_whole_nights(tmp_path_factory):
    """The same of every table; tests read it."""
    return three_nights_at(tmp_path_factory.mktemp("knowledge") / "clinic")


def three_nights_at(folder: Path) -> Place:
    """Three nights: sessions of the 9th; the 10th added; one of client 2's corrected and one vanished."""
    made = open_place(folder, WHOLE)
    deliver(made, 10, [9])
    deliver(made, 12, [9, 10])
    made.deliver("appointments_2026-11-13.csv", APPOINTMENTS,
                 [held(1, 9), held(1, 10), held(2, 9).replace("attended", "no_show")])  # fmt: skip
    made.night(NOON.format(13))
    return made


@pytest.fixture
def place(three_nights, short_nights, tmp_path):
    return three_nights.copied_to(tmp_path / "clinic")


def order_of(place):
    return place_change(place.clinic, place.warehouse)


def known(place, day: int) -> list[tuple]:
    asked = f"SELECT session_id, status FROM history.appointments_as_known_on(DATE '2026-11-{day:02d}')"
    return sorted(status for _, status in place.ask(asked))


def test_the_macros_answer_what_was_known_after_a_day_s_night(place):
    assert [known(place, day) for day in (9, 10, 11)] == [[], ["attended"] * 2, ["attended"] * 2]
    assert [known(place, day) for day in (12, 13, 20)] == [
        ["attended"] * 4,
        ["attended", "attended", "no_show"],
        ["attended", "attended", "no_show"],
    ]


def test_the_tables_as_known_on_a_day_are_those_that_the_night_of_that_day_made(three_whole_nights, tmp_path):
    place = three_whole_nights
    then = versions.kept_versions(order_of(place).folders.published)[1]
    out = tmp_path / "then.duckdb"
    assert as_known_on(order_of(place), date(2026, 11, 12), out) == 2
    assert differences(then, out, ("main",)) == {}
    with duckdb.connect(str(out), read_only=True) as con:
        assert con.sql("SELECT load_id, data_to::DATE::VARCHAR FROM load.current").fetchall() == [(2, "2026-11-12")]
        assert con.sql("SELECT count(*) FROM dashboard.freshness_by_source").fetchone()[0]
        assert con.sql("SELECT max(load_id) FROM load.files").fetchone() == (2,)
    with pytest.raises(Unusable, match=r"then.duckdb exists already"):
        as_known_on(order_of(place), date(2026, 11, 12), out)


def test_nothing_was_known_before_the_first_night(place, tmp_path):
    with pytest.raises(Unusable, match="nothing was known on 2026-11-01"):
        as_known_on(order_of(place), date(2026, 11, 1), tmp_path / "then.duckdb")


def test_the_movement_of_a_headline_is_told_by_cause_and_adds_up(place):
    moved = (
        "SELECT load_id, cause, value_before, value_after FROM load.why_it_moved WHERE headline = '{}' ORDER BY 1, 3"
    )
    assert place.ask(moved.format("sessions")) == [
        (1, "new", None, 2.0),
        (2, "new", 2.0, 4.0),
        (3, "vanished", 4.0, 2.0),
    ]
    assert place.ask(moved.format("attendance_share"))[2:] == [
        (3, "vanished", 1.0, 1.0),
        (3, "corrected", 1.0, pytest.approx(2 / 3)),
    ]


def test_the_movement_between_two_loads_goes_from_the_value_of_one_to_that_of_the_other(place):
    told = place.ask("SELECT cause, value_before, value_after, movement FROM load.movement_between(1, 3) "
                     "WHERE headline = 'sessions'")  # fmt: skip
    assert told == [("vanished", 2.0, 0.0, -2.0), ("new", 0.0, 2.0, 2.0)]


def test_rows_added_changed_and_removed_are_booked_per_load_and_table(place):
    asked = (
        "SELECT load_id, added_count, changed_count, removed_count FROM load.changes WHERE table_name = '{}' ORDER BY 1"
    )
    assert place.ask(asked.format("appointments")) == [(1, 2, 0, 0), (2, 2, 0, 0), (3, 0, 1, 1)]
    assert place.ask(asked.format("sessions")) == [(1, 2, 0, 0), (2, 2, 0, 0), (3, 0, 0, 2)]


def test_a_changed_definition_is_a_cause_of_its_own_and_only_what_depends_on_it_is_computed_again(place, monkeypatch):
    real = transforms.fingerprints
    monkeypatch.setattr(transforms, "fingerprints", lambda *given: {**real(*given), "alliance": "other"})
    con = open_file(_writable(place), place.folder)
    con.execute("UPDATE main.alliance SET pomp = 0, score = 0")
    con.close()
    place.night(NOON.format(14))
    causes = place.ask("SELECT DISTINCT cause FROM load.movements WHERE load_id = 4")
    assert causes == [("definition",)]
    changed = place.ask("SELECT table_name FROM load.changes WHERE load_id = 4 ORDER BY 1")
    assert ("alliance",) in changed
    assert ("sessions",) not in changed
    assert place.ask("SELECT kind, name FROM load.definitions WHERE load_id = 4") == [("table", "alliance")]


def _writable(place):
    return writable(place.published.resolve())


def test_the_published_file_follows_from_its_records(three_whole_nights, capsys):
    place = three_whole_nights
    verdict = verify(order_of(place))
    assert verdict.is_equal
    assert {name: rows for name, rows, *_ in verdict.tables}["appointments"] == 3
    assert verify_main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 0
    assert "Every table follows from the records." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ("UPDATE main.scores SET score = score + 1", "scores"),
        ("DELETE FROM main.sessions WHERE session_number = 1", "sessions"),
        ("UPDATE load.files SET loaded_count = loaded_count + 1", "load.files"),
        ("UPDATE load.movements SET numerator_change = 7 WHERE headline = 'clients'", "the movements of clients"),
        (
            "INSERT INTO history.appointments FROM history.appointments LIMIT 1",
            "appointments has two versions of a record",
        ),
    ],
)
def test_a_spoiled_file_does_not_verify(place, capsys, spoiled, said):
    con = open_file(_writable(place), place.folder)
    con.execute(spoiled)
    con.close()
    assert verify_main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 1
    assert said in capsys.readouterr().out


def test_after_a_change_of_definitions_nothing_is_verified_until_a_night_has_run(place):
    place.clinic.write_text('not_treatment = ["assessment"]\n' + WHOLE)
    with pytest.raises(DidNotRun, match="run a night, then verify"):
        verify(order_of(place))


def test_an_older_version_is_published_again_as_a_new_load_and_the_next_night_reads_what_it_had_not(place, capsys):
    before = place.ask("FROM appointments ORDER BY ALL")
    arguments = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert restore_main([*arguments, "--version", "1"]) == 0
    assert place.ask("SELECT count(*) FROM appointments") == [(2,)]
    assert place.ask("SELECT load_id, purpose, outcome FROM load.loads ORDER BY 1") == [
        (1, "night", "published"),
        (2, "night", "withdrawn"),
        (3, "night", "withdrawn"),
        (4, "restore", "published"),
    ]
    place.night(NOON.format(14))
    assert place.ask("FROM appointments ORDER BY ALL") == before
    assert verify(order_of(place)).is_equal
    assert restore_main(arguments) == 0
    assert "load 5" in capsys.readouterr().out
    with pytest.raises(Unusable, match="no version of load 9 is kept; kept are 1, 2, 3, 4, 5"):
        restore(order_of(place), 9)


def test_versions_beyond_the_seventh_go_but_none_that_was_the_newest_an_hour_ago(place):
    link = order_of(place).folders.published
    now = datetime.now(UTC)
    versions.keep_newest(link, 1, now - timedelta(hours=1))
    assert len(versions.kept_versions(link)) == 3
    versions.keep_newest(link, 2, now + timedelta(hours=1))
    assert [versions.load_of(version) for version in versions.kept_versions(link)] == [2, 3]


def test_a_file_of_which_a_third_is_empty_is_compacted(tmp_path):
    path, fresh = tmp_path / "full.duckdb", tmp_path / "fresh.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE much AS SELECT range AS a, uuid() AS b FROM range(500_000)")
        con.execute("COMMENT ON TABLE much IS 'Said.'")
        con.execute("CHECKPOINT")
        full = empty_share(con)
        con.execute("DELETE FROM much WHERE a % 5 <> 0")
        con.execute("CHECKPOINT")
        assert (full < 0.1, empty_share(con) > 1 / 3) == (True, True)
    copy_compactly(path, fresh)
    assert fresh.stat().st_size < path.stat().st_size / 2
    with duckdb.connect(str(fresh), read_only=True) as con:
        assert con.sql("SELECT count(*) FROM much").fetchone() == (100_000,)
        assert con.sql("SELECT comment FROM duckdb_tables()").fetchone() == ("Said.",)
