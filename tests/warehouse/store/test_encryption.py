"""Encryption at rest: what a night with a key leaves, who can open it, and how files get a key, another, or none."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid

import pytest

from rapport.flows.ops import as_known_on, compact, freshness, query
from rapport.flows.ops.forget import find_person, forget
from rapport.flows.ops.restore import restore
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.flows.pages import worklist
from rapport.warehouse.errors import Unusable
from rapport.warehouse.history.erase import rows_of_person
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.published.page_answers import open_locked, result_text
from rapport.warehouse.store import compaction, encryption
from rapport.warehouse.store.building_file import open_published
from rapport.warehouse.store.opening import open_file, open_memory
from tests.clinics.nights import CLINIC, ROOT, Place, but_for_finished_tables, open_place

KEY, OTHER = "key-of-a-test-" + "5e" * 16, "another-key-of-a-test-" + "7c" * 16
PROBLEM = "longstanding grief"
WITH_EPISODES = f"""{CLINIC}
[sources.episodes]
files = "episodes_%Y-%m-%d*.csv"

[lists]
presenting_problem = ["{PROBLEM}"]
"""
PROGRAM = """
import sys
from pathlib import Path
from rapport.warehouse.store.opening import open_file

con = open_file(Path(sys.argv[1]))
con.execute("CREATE TABLE t AS SELECT 1 AS a; CHECKPOINT")
print(con.sql("SELECT count(*) FROM duckdb_extensions() WHERE extension_name = 'httpfs' AND loaded").fetchone())
print(con.sql("SELECT string_agg(value) FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'").fetchone())
"""
AS_OF, NEXT = "2026-11-18T12:00", "2026-11-19T12:00"
NO_KEY, WRONG_KEY, NOT_ENCRYPTED = "there is no key", "written with another key", "is set and the warehouse file is not"


@pytest.fixture(scope="module")
def during() -> dict[str, bytes]:
    """What lay in the building folders, just before each night of `nights` published."""
    return {}


@pytest.fixture(scope="module")
def nights(tmp_path_factory, during) -> tuple[Place, Place]:
    """The same two nights, of one clinic, without a key and with one."""
    plain = open_place(tmp_path_factory.mktemp("encryption") / "clinic", WITH_EPISODES)
    columns = "episode_id,client_id,opened_on,closed_on,presenting_problem"
    plain.deliver("episodes_2026-11-18.csv", columns, [f"E1,C1,2026-11-01,,{PROBLEM}"])
    plain.deliver_day(17, first=12)
    sealed = plain.twin()
    for place, name in ((plain, "plain"), (sealed, "sealed")):

        def run(step, do, name=name, place=place):
            if step == "publish":
                building = place.warehouse / "private/building"
                during[name] = b"".join(path.read_bytes() for path in building.glob("night*/*"))
            return but_for_finished_tables(step, do)

        with pytest.MonkeyPatch.context() as environment:
            if place is sealed:
                environment.setenv(encryption.KEY, KEY)
            place.night(AS_OF, run)
    return plain, sealed


@pytest.fixture
def keyed(monkeypatch) -> pytest.MonkeyPatch:
    """An environment with the key."""
    monkeypatch.setenv(encryption.KEY, KEY)
    return monkeypatch


@pytest.fixture(scope="module")
def read_meanwhile() -> list:
    """What a reader was told who had opened the first night's file before the second one published."""
    return []


@pytest.fixture(scope="module")
def two_nights(nights, tmp_path_factory, read_meanwhile) -> Place:
    """The clinic whose nights are run with a key, a night later."""
    place = nights[1].copied_to(tmp_path_factory.mktemp("two") / "clinic")
    place.deliver_day(18)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(encryption.KEY, KEY)
        with open_locked(place.published) as con:
            place.night(NEXT, but_for_finished_tables)
            read_meanwhile += con.sql("SELECT load_id, (SELECT count(*) FROM sessions) FROM load.current").fetchall()
    return place


@pytest.fixture
def sealed(two_nights, keyed, tmp_path) -> Place:
    """A copy of it for one test, which has the key."""
    return two_nights.copied_to(tmp_path / "clinic")


def words_of(plain: Place) -> list[bytes]:
    """What a warehouse file of that clinic says: a column, a diagnosis, and a pseudonym as DuckDB stores it."""
    ((client,),) = plain.ask(f"SELECT client_id FROM episodes WHERE presenting_problem = '{PROBLEM}'")
    stored = (uuid.UUID(str(client)).int ^ (1 << 127)).to_bytes(16, "little")
    return [b"client_id", PROBLEM.encode(), stored]


def asked(place: Place, sql: str = "SELECT count(*), sum(score) FROM scores") -> list[tuple]:
    with open_published(place.published) as con:
        return con.sql(sql).fetchall()


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def place_of(place: Place) -> list[str]:
    return ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]


def test_nothing_can_be_read_in_the_bytes_of_a_keyed_night_and_all_of_it_in_a_plain_one(nights, during):
    plain, sealed = nights
    words = words_of(plain)
    left = {place: place.published.read_bytes() for place in nights}
    assert all(word in left[plain] and word in during["plain"] for word in words)
    assert not any(word in left[sealed] or word in during["sealed"] for word in words)
    elsewhere = [path for path in sealed.warehouse.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert {path.name for path in elsewhere if PROBLEM.encode() in path.read_bytes()} == set()


def test_a_keyed_night_says_the_same_as_a_plain_one(nights, keyed):
    plain, sealed = nights
    assert asked(sealed) == plain.ask("SELECT count(*), sum(score) FROM scores")
    assert not sealed.leftovers()


def test_the_key_is_in_no_file_that_a_night_leaves_and_no_question_tells_it(sealed, capsys):
    for relation in ("duckdb_databases()", "duckdb_settings()", "duckdb_secrets()", "duckdb_logs()"):
        assert query.main(["--warehouse", str(sealed.warehouse), "--sql", f"FROM {relation}"]) == 0
    said = capsys.readouterr()
    assert "rapport" in said.out and KEY not in said.out + said.err
    assert [path for path in sealed.folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []


def test_the_safe_file_opens_without_a_key(nights, keyed):
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(nights[1].warehouse / "shared/rapport_safe.duckdb"), read_only=True) as con:
        assert con.sql("SELECT load_id FROM load.current").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("file", "key", "why"), [("sealed", None, NO_KEY), ("sealed", OTHER, WRONG_KEY), ("plain", KEY, NOT_ENCRYPTED)]
)
def test_a_file_that_does_not_fit_the_key_is_refused_in_one_sentence_by_whoever_opens_it(
    nights, tmp_path, monkeypatch, capsys, file, key, why
):
    place = nights[file == "sealed"].copied_to(tmp_path / "clinic")
    if key:
        monkeypatch.setenv(encryption.KEY, key)
    asking = ["--warehouse", str(place.warehouse), "--sql", "SELECT 1"]
    for command, words in ((query.main, asking), (worklist.main, place_of(place))):
        assert command(words) == 2
        told = capsys.readouterr()
        assert why in told.err and len(told.err.splitlines()) == 1
        assert not any(each in told.out + told.err for each in (KEY, OTHER))
    assert freshness.main([*place_of(place), "--as-of", AS_OF]) == 0  # load.json says enough
    (place.published.resolve().parent / "load.json").unlink()
    assert freshness.main([*place_of(place), "--as-of", AS_OF]) == 1
    assert why in capsys.readouterr().out
    before = place.published.readlink()
    with pytest.raises(Unusable, match=why):
        place.night(NEXT)
    assert (place.published.readlink(), list((place.warehouse / "private/building").iterdir())) == (before, [])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({encryption.KEY: ""}, "shorter than 32"),
        ({encryption.KEY: "a" * 31}, "shorter than 32"),
        ({encryption.KEY: "a" * 31 + "'"}, "must hold only letters"),
        ({encryption.KEY: "a b" * 20}, "must hold only letters"),
        ({f"{encryption.KEY}_FILE": "no-such-file"}, "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_and_not_repeated(monkeypatch, given, why):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unusable, match=why) as refused:
        encryption.key()
    assert not any(value and value in str(refused.value) for value in given.values())


def test_a_key_may_come_from_a_file(tmp_path, monkeypatch):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv(f"{encryption.KEY}_FILE", str(tmp_path / "key"))
    assert encryption.key() == KEY


def test_a_reader_keeps_its_night_while_the_next_one_publishes(nights, sealed, read_meanwhile):
    told = "SELECT load_id, (SELECT count(*) FROM sessions) FROM load.current"
    assert read_meanwhile == asked(nights[1], told)
    ((load, sessions),) = asked(sealed, told)
    assert load == 2 and sessions > read_meanwhile[0][1]


def test_a_locked_file_reaches_no_network_although_the_extension_could(sealed):
    with open_locked(sealed.published) as con:
        assert "Permission Error" in result_text(con, "FROM read_csv('https://localhost/a.csv')")
        assert "Error" in result_text(con, "CREATE TABLE rapport.main.kept AS FROM clients")


def test_a_person_is_taken_out_of_every_kept_file_and_an_older_one_can_be_published_again(sealed):
    order = place_change(sealed.clinic, sealed.warehouse)
    person = find_person(order, "clinic", "C1", None)
    done = forget(order, person)
    assert done.cleaned.versions == 2 and done.cleaned.rows > 10
    kept = kept_versions(order.folders.published)
    assert len(kept) == 3 and all(encryption.is_encrypted(version) for version in kept)
    for version in kept:
        with open_published(version) as con:
            assert [rows_of_person(con, each) for each in person.pseudonyms] == [0] * len(person.pseudonyms)
    assert restore(order, 2).load_id == 4
    assert asked(sealed, "SELECT load_id FROM load.current") == [(4,)]


def test_what_is_published_can_be_verified_and_what_was_known_is_written_encrypted(nights, sealed, tmp_path):
    order = place_change(sealed.clinic, sealed.warehouse)
    assert verify(order).is_equal
    out = tmp_path / "known.duckdb"
    assert as_known_on.main([*place_of(sealed), "--day", "2026-11-18", "--out", str(out)]) == 0
    assert encryption.is_encrypted(out)
    with open_file(out, read_only=True) as con:
        assert con.sql("SELECT count(*) FROM scores").fetchall() == asked(nights[1], "SELECT count(*) FROM scores")


def test_keep_and_compact_gives_kept_files_another_key_none_and_one_again(nights, two_nights, tmp_path, monkeypatch):
    place = two_nights.copied_to(tmp_path / "clinic")
    where, words = Folders(place.warehouse), words_of(nights[0])
    monkeypatch.setenv(encryption.KEY, KEY)
    said = asked(place)
    for key, before in ((OTHER, KEY), (None, OTHER), (KEY, None)):
        for name, value in {encryption.KEY: key, encryption.KEY_BEFORE: before}.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        assert compaction.rekey(where) == 2
        assert compaction.rekey(where) == 0
        monkeypatch.delenv(encryption.KEY_BEFORE, raising=False)
        assert asked(place) == said
        for version in kept_versions(where.published):
            assert encryption.is_encrypted(version) == bool(key)
            assert (words[0] in version.read_bytes()) != bool(key)
            assert oct(version.stat().st_mode)[-3:] == "440"


def test_the_compact_command_encrypts_what_is_published_and_refuses_a_key_that_opens_nothing(
    nights, tmp_path, monkeypatch, capsys
):
    place = nights[0].copied_to(tmp_path / "clinic")
    monkeypatch.setenv(encryption.KEY, KEY)
    assert compact.main(place_of(place)) == 0
    assert asked(place, "SELECT load_id FROM load.current") == [(2,)]
    assert all(encryption.is_encrypted(version) for version in kept_versions(place.published))
    monkeypatch.setenv(encryption.KEY, OTHER)
    capsys.readouterr()
    assert compact.main(place_of(place)) == 2
    assert WRONG_KEY in capsys.readouterr().err


def test_the_extension_comes_from_its_wheel_and_nothing_is_fetched_or_left_at_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), encryption.KEY: KEY}
    words = [sys.executable, "-c", PROGRAM, tmp_path / "made.duckdb"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,)", "('false,false',)"]
    assert encryption.is_encrypted(tmp_path / "made.duckdb")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("key", [None, KEY])
def test_what_spills_to_disk_is_encrypted_too(tmp_path, monkeypatch, key):
    if key:
        monkeypatch.setenv(encryption.KEY, key)
    seen, is_over = [], threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            for path in tmp_path.glob("duckdb_temp*"):
                seen.append(path.read_bytes()) if path.exists() else None
            time.sleep(0.01)

    watching = threading.Thread(target=watch)
    watching.start()
    with open_memory(threads=2, memory_limit="40MB", temp_directory=str(tmp_path)) as con:
        con.execute("CREATE TABLE t AS SELECT hash(range) AS n, 'longstanding grief ' || range AS a FROM range(800000)")
        con.execute("CREATE TABLE sorted AS FROM t ORDER BY n")
    is_over.set()
    watching.join()
    assert any(seen)
    assert any(PROBLEM.encode() in each for each in seen) != bool(key)


def test_the_readme_s_way_to_open_an_encrypted_file_in_python_opens_it(sealed):
    (program,) = (each for each in re.findall(r"```python\n(.*?)```", page("README.md"), re.DOTALL) if "ATTACH" in each)
    opened: dict = {}
    exec(program.replace("demo/warehouse", str(sealed.warehouse)), opened)  # the page's own words
    con = opened["con"]
    assert con.sql("SELECT count(*) FROM scores").fetchall() == asked(sealed, "SELECT count(*) FROM scores")
    for relation in ("dashboard.alliance_by_session", "history.appointments_as_known_on(DATE '2026-11-18')"):
        assert con.sql(f"SELECT count(*) >= 0 FROM {relation}").fetchall() == [(True,)]
    assert con.sql("SELECT current_setting('temp_directory')").fetchall() == [("",)]
    with pytest.raises(Exception, match="read-only"):
        con.execute("DELETE FROM scores")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
@pytest.mark.parametrize("unit", ["rapport-worker", "rapport-serve", "rapport-freshness"])
def test_systemd_understands_how_the_runbook_gives_a_unit_the_key(tmp_path, unit):
    additions = re.findall(r"```ini\n(.*?)```", page("RUNBOOK.md"), re.DOTALL)
    (addition,) = (each for each in additions if f"{encryption.KEY}_FILE=" in each)
    text = re.sub(r"/opt/rapport/\S+/python", "/bin/true", page(f"flows/systemd/{unit}.service"))
    text = re.sub(r"^(User|Group)=.*", r"\1=root", text, flags=re.MULTILINE)
    made = tmp_path / f"{unit}.service"
    made.write_text(text + addition, encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", made], capture_output=True, text=True, check=False)
    assert "encryption" not in verified.stderr and "Unknown" not in verified.stderr


def test_only_one_module_opens_databases():
    opening = {path.name for path in (ROOT / "warehouse").rglob("*.py") if "duckdb.connect(" in path.read_text()}
    assert opening == {"opening.py"}
