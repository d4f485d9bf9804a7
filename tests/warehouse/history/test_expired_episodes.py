"""Episodes closed for longer than `[keep] years_after_closing`: erased by the weekly flow, counted, and not brought
back; a later episode of the same person stays."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from unittest.mock import patch

import duckdb
import pytest

from rapport.flows.messages.report import print_report, report_of
from rapport.flows.ops.compact import compact
from rapport.flows.ops.restore import place_restoration, restore
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.private.tombstones import read_tombstones, set_tombstones
from rapport.warehouse.errors import RapportError
from rapport.warehouse.history.erased_days import EVERYTHING, ErasedDays
from rapport.warehouse.history.expiry import Expired, find_expired
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.store.building_file import open_building
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import PORTAL_SECTION, Place, but_for_finished_tables, open_place
from tests.flows.private.test_forget import order_of, traces

BEFORE = date(2016, 11, 30)
A, B = "0" * 31 + "a", "0" * 31 + "b"
FACTS = {
    "an episode closed before the day goes, up to the day before it": (
        ["A 2010-01-01 2012-05-05"],
        {"A": "2016-11-29"},
        1,
    ),
    "one that is closed on the day itself stays": (["A 2010-01-01 2016-11-30"], {}, 0),
    "one that nobody closed stays": (["A 2010-01-01 open"], {}, 0),
    "a derived one ends with its last session": (["A 2010-01-01 derived 2010-03-01"], {"A": "2016-11-29"}, 1),
    "a derived one whose last session is later stays": (["A 2016-10-01 derived 2016-12-01"], {}, 0),
    "of two, the later one stays with all that is dated after the earlier one": (
        ["A 2010-01-01 2012-05-05", "A 2015-01-01 2019-01-01"],
        {"A": "2012-05-05"},
        1,
    ),
    "of three, two may have ended": (
        ["A 2010-01-01 2010-05-05", "A 2011-01-01 2012-05-05", "A 2015-01-01 open"],
        {"A": "2012-05-05"},
        2,
    ),
    "one that overlaps a later one stays as long as that": (
        ["A 2010-01-01 2012-05-05", "A 2012-05-05 2019-01-01"],
        {},
        0,
    ),
    "so does one that is linked to it by a third": (
        ["A 2008-01-01 2008-09-09", "A 2010-01-01 2012-05-05", "A 2012-01-01 2013-01-01", "A 2013-01-01 2019-01-01"],
        {"A": "2008-09-09"},
        1,
    ),
    "one that lies within a longer one goes with it": (
        ["A 2010-01-01 2014-05-05", "A 2011-01-01 2012-05-05"],
        {"A": "2016-11-29"},
        2,
    ),
    "whoever never began goes by the last day known": (
        ["B day 2014-01-01", "A day 2016-12-01"],
        {"B": "2016-11-29"},
        0,
    ),
    "what came after the last episode stays, but not that episode": (
        ["A 2010-01-01 2012-05-05", "A day 2019-01-01"],
        {"A": "2016-11-29"},
        1,
    ),
    "whoever has no day at all stays": (["A day none"], {}, 0),
}


EARLY, LATE = date(2012, 5, 5), date(2019, 1, 1)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (ErasedDays(until=EARLY, by_load=3), ErasedDays(until=LATE, by_load=9), ErasedDays(until=LATE, by_load=9)),
        (ErasedDays(since=EARLY), ErasedDays(since=LATE), ErasedDays(since=EARLY)),
        (ErasedDays(until=EARLY, by_load=3), ErasedDays(since=LATE), ErasedDays(LATE, EARLY, 3)),
        (ErasedDays(until=LATE, by_load=3), ErasedDays(since=EARLY), EVERYTHING),
        (ErasedDays(until=LATE), ErasedDays(since=LATE + timedelta(days=1)), EVERYTHING),
        (ErasedDays(until=EARLY), EVERYTHING, EVERYTHING),
    ],
)
def test_what_one_of_two_erasures_forbids_is_forbidden_and_stays_so_in_the_file(tmp_path, one, other, both):
    assert one.and_also(other) == other.and_also(one) == both
    folders = Folders(tmp_path)
    folders.make()
    for days in (one, other):
        set_tombstones(folders, {A: days})
    assert read_tombstones(folders).days_of(A) == both
    assert read_tombstones(folders).days_of(B) is None


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    """The tables that are looked into, with the columns that are looked at."""
    folder = tmp_path_factory.mktemp("expired")
    con = open_building(folder / "made.duckdb", folder)
    con.execute("CREATE TABLE main.episodes (client_id UUID, episode_id UUID, is_derived BOOLEAN, opened_on DATE, "
                "closed_on DATE)")  # fmt: skip
    con.execute("CREATE TABLE main.sessions (episode_id UUID, session_date DATE)")
    return con


def enter(con: duckdb.DuckDBPyConnection, facts: list[str]) -> None:
    for table in ("main.episodes", "main.sessions", "history.appointments", "history.clients"):
        con.execute(f"DELETE FROM {table}")
    for number, fact in enumerate(facts):
        client, opened, *more = fact.split()
        who = A if client == "A" else B
        if opened == "day":
            day = None if more == ["none"] else f"{more[0]} 10:00"
            con.execute("INSERT INTO history.appointments (client_id, starts_local) VALUES (?, ?)", [who, day])
            continue
        episode, closed = f"{number:032x}", None if more[0] in ("open", "derived") else more[0]
        con.execute("INSERT INTO main.episodes VALUES (?, ?, ?, ?, ?)",
                    [who, episode, more[0] == "derived", opened, closed])  # fmt: skip
        if more[0] == "derived":
            con.execute("INSERT INTO main.sessions VALUES (?, ?), (?, ?)", [episode, opened, episode, more[1]])


@pytest.mark.parametrize("said", FACTS)
def test_what_ends_with_which_day(con, said):
    facts, until, count = FACTS[said]
    enter(con, facts)
    days = {{"A": A, "B": B}[client]: date.fromisoformat(day) for client, day in until.items()}
    found = find_expired(con, BEFORE)
    assert (found.until, found.episode_count) == (days, count)


def test_an_episode_that_nobody_closed_is_told_where_nothing_later_is_known(con):
    enter(con, ["A 2010-01-01 open", "B 2011-01-01 open", "B day 2017-01-01"])
    assert find_expired(con, BEFORE) == Expired(BEFORE, {}, 0, idle_count=1)


CLINIC = f"""\
time_zone = "America/Chicago"
licences = ["srs"]
quarantine_limit = 0.9
client_links = "links.csv"
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "practice"
covers = "all"
[sources.clients]
files = "clients_%Y-%m-%d.csv"
id_space = "practice"
covers = "all"
[sources.episodes]
files = "episodes_%Y-%m-%d.csv"
id_space = "practice"
covers = "all"
{PORTAL_SECTION}"""
KEEP = "\n[keep]\nyears_after_closing = 10\n"
ONE_LINK = "space,id,space,id\npractice,P1,portal,U71\n"
LINKS = ONE_LINK + "practice,P2,portal,U72\n"
KEY = "[keep] years_after_closing = 10"


def deliver(place, day: int, back: Mapping[int, str] = MappingProxyType({})) -> None:
    """Whole exports of both systems, which hold for ever what is old: client 2 ended in 2012, client 1 came back in
    2024, client 3 is new. `back`: who came on 14 November, and the status of that appointment."""
    held = [f"A{n}-{year},P{n},{year}-03-0{n}T10:00,attended" for n in (1, 2) for year in (2011, 2012)]
    held += [f"A{n}-{each},P{n},2026-11-{each:02d}T1{n}:00,attended" for n in (1, 3) for each in range(10, day)]
    held.append("A2-2013,P2,2012-04-02T10:00,no status of ours")  # held back
    held += [f"A{n}-14,P{n},2026-11-14T1{n}:00,{status}" for n, status in back.items()]
    place.deliver(f"appointments_2026-11-{day}.csv", "appointment_id,client_id,starts_at,status", held)
    people = [f"P{n},200{n}-01-01,female" for n in (1, 2, 3)] + [f"P{day},,"]  # no two exports are the same bytes
    place.deliver(f"clients_2026-11-{day}.csv", "client_id,birth_date,sex", people)
    episodes = [
        "E1,P1,2011-01-01,2012-06-01",
        "E2,P2,2011-01-01,2012-06-01",
        "E3,P1,2024-01-01,",
        f"E{day},P3,2026-11-{day - 1},",
    ]
    place.deliver(f"episodes_2026-11-{day}.csv", "episode_id,client_id,opened_on,closed_on", episodes)
    answers = [f"U7{n},2012-03-0{n} 10:55,9,9,9,{n}" for n in (1, 2)]
    answers += [f"U7{n},2026-11-10 10:55,8,8,8,{n}" for n in (1, 3)] + [f"U73,2026-11-{day} 10:55,1,1,1,{day - 10}"]
    place.deliver(f"portal_2026-11-{day}.csv", "user,when,a,b,c,d", [*answers, "U72,,1,1,1,1"])


def two_nights_at(folder: Path) -> Place:
    """Two nights of a clinic that keeps everything."""
    place = open_place(folder, CLINIC)
    (place.folder / "links.csv").write_text(LINKS)
    for day in (12, 13):
        deliver(place, day)
        place.night(f"2026-11-{day}T12:00", but_for_finished_tables)
    return place


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """They are of few tables."""
    with few_tables():
        return two_nights_at(tmp_path_factory.mktemp("expired") / "clinic")


@pytest.fixture
def place(kept, short_nights, tmp_path):
    copied = kept.copied_to(tmp_path / "clinic")
    copied.clinic.write_text(CLINIC + KEEP)
    return copied


def compacted(place) -> list[str]:
    with patch("rapport.flows.ops.compact.check_tables"):  # it takes none out
        return compact(place_change(place.clinic, place.warehouse)).sentences


def old_ids(place, whose: str = "true") -> set[str]:
    """Every id that is of client P2 alone, or of P1's ended episode; `whose`: on condition."""
    ended = "client_id IN (SELECT client_id FROM clients WHERE last_session_on < '2013-01-01')"
    old = {
        f"SELECT client_id FROM clients WHERE {ended}",
        f"SELECT session_id FROM sessions WHERE session_date < '2013-01-01' AND {whose.format(ended)}",
        f"SELECT response_id FROM responses WHERE (completed_on < '2013-01-01' OR {ended}) AND {whose.format(ended)}",
        f"SELECT episode_id FROM episodes WHERE opened_on < '2013-01-01' AND {whose.format(ended)}",
        f"SELECT own_id FROM load.client_links WHERE {ended}",
    }
    return {value.hex for query in old for (value,) in place.ask(query)}


def old_left(place, ids: set[str]) -> list[str]:
    return traces(place, ids, ("P2", "U72", "2002-01-01"))


def dated(place) -> list[tuple]:
    days = """SELECT client_id, starts_local::DATE AS day FROM history.appointments
        UNION ALL SELECT client_id, completed_on FROM history.responses
        UNION ALL SELECT client_id, opened_on FROM history.episodes"""
    return place.ask(f"SELECT min(day)::VARCHAR, count(DISTINCT client_id) FROM ({days})")


def test_a_check_says_how_many_before_it_is_switched_on_and_every_night_until_it_is_done(place, capsys):
    before = place.standing()
    told = f"{KEY}: the weekly compact takes out 2 episodes of 2 clients that ended before 2016-11-13."
    report = report_of(place.night("2026-11-13T12:00", is_check=True))
    print_report(report)
    assert report.expired == [told] and told in " ".join(capsys.readouterr().out.split())
    assert place.standing() == before
    assert report_of(place.night("2026-11-13T12:00")).expired == [told]
    assert len(old_ids(place)) > 10
    place.clinic.write_text(CLINIC)
    assert report_of(place.night("2026-11-13T12:00", is_check=True)).expired == []
    compacted(place)
    assert dated(place)[0][0] == "2011-01-01"


@pytest.fixture(scope="module")
def expired(kept, tmp_path_factory):
    """After the weekly compact, and its ids of before."""
    with few_tables():
        place = kept.copied_to(tmp_path_factory.mktemp("compacted") / "clinic")
        place.clinic.write_text(CLINIC + KEEP)
        return place, old_ids(place), compacted(place)


def test_the_weekly_compact_takes_out_what_ended_and_a_later_episode_of_the_same_person_stays(expired, short_nights):
    place, ids, told = expired
    assert told[0] == f"{KEY}: it took out 2 episodes of 2 clients that ended before 2016-11-13."
    assert old_left(place, ids) == []
    assert dated(place) == [("2024-01-01", 3)]
    assert verify(order_of(place)).is_equal
    assert place.ask("SELECT load_id, client_count, episode_count FROM load.expiries") == [(3, 2, 2)]
    assert place.ask("SELECT purpose, reason FROM load.loads WHERE load_id = 3") == [
        ("compaction", "episodes closed for longer than 10 years taken out")
    ]


def test_exports_that_still_hold_it_a_restored_version_and_links_withdrawn_do_not_bring_it_back(
    expired, short_nights, tmp_path
):
    place, ids = expired[0].copied_to(tmp_path / "clinic"), expired[1]
    deliver(place, 14)
    place.night("2026-11-14T12:00", but_for_finished_tables)
    assert old_left(place, ids) == []
    ignored = "SELECT source, ignored_count FROM load.files WHERE load_id = 4 ORDER BY source"
    assert place.ask(ignored) == [("appointments", 5), ("clients", 1), ("episodes", 2), ("portal", 3)]
    restore(place_restoration(place.clinic, place.warehouse, 1), 1)
    assert old_left(place, ids) == []
    (place.folder / "links.csv").write_text("")
    deliver(place, 15)
    report = report_of(place.night("2026-11-15T12:00", but_for_finished_tables))
    assert old_left(place, ids) == []
    assert report.expired == []
    assert dated(place) == [("2024-01-01", 4)]  # P1 and U71 are two now


def test_whoever_comes_back_is_known_from_then_on(expired, short_nights, tmp_path):
    place = expired[0].copied_to(tmp_path / "clinic")
    deliver(place, 14, back={2: "no status of ours"})
    place.night("2026-11-14T12:00", but_for_finished_tables)
    deliver(place, 15, back={2: "attended"})
    place.night("2026-11-15T12:00", but_for_finished_tables)
    assert place.ask("SELECT DISTINCT state FROM load.quarantine") == [("released",)]
    assert place.ask("SELECT count(reason) FROM load.loads WHERE load_id > 3") == [(0,)]  # nobody was taken out again
    assert dated(place) == [("2024-01-01", 4)]
    new = "FROM clients WHERE first_session_on = '2026-11-14'"
    assert place.ask(f"SELECT sex, session_count {new}") == [("female", 1)]
    assert place.ask(f"SELECT count(*) FROM load.client_links WHERE client_id IN (SELECT client_id {new})") == [(1,)]
    assert set(read_crosswalk(order_of(place).folders.crosswalk)["number"]) > {"P2", "U72"}


def test_a_number_that_is_linked_later_shares_the_days_and_one_with_records_of_that_time_is_refused(
    expired, short_nights, tmp_path
):
    place = expired[0].copied_to(tmp_path / "clinic")
    (place.folder / "links.csv").write_text(ONE_LINK + "practice,P2,portal,U74\n")
    rows = ["U74,2012-03-03 10:55,9,9,9,9", "U74,2026-11-13 10:55,9,9,9,9"]
    place.deliver("portal_2026-11-16.csv", "user,when,a,b,c,d", rows)
    place.night("2026-11-16T12:00", but_for_finished_tables)
    assert dated(place)[0][0] == "2024-01-01"
    place.deliver("portal_2026-11-17.csv", "user,when,a,b,c,d", ["U75,2012-03-03 10:55,9,9,9,9"])
    place.night("2026-11-17T12:00", but_for_finished_tables)
    (place.folder / "links.csv").write_text(ONE_LINK + "practice,P2,portal,U75\n")
    with pytest.raises(RapportError, match="joins a number to another, of which everything up to a day was taken out"):
        place.night("2026-11-18T12:00", but_for_finished_tables)
