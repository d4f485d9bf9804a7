"""A person taken out after many nights of two systems, which go on exporting them: what is found in all that is kept.

Whoever else is there answers in whole numbers: a sum that the person was part of has a fraction.
"""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from rapport.flows.ops import forget, restore
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store.building_file import open_published
from rapport.warehouse.store.compaction import stored_rows
from tests.attacks.canaries import search
from tests.clinics.nights import PORTAL_SECTION, Place, but_for_finished_tables, open_place

NUMBER, PORTAL, BORN = "MRN-55501", "USER-77702", "2003-02-27"
CAME = ("2026-09-05", "2026-09-08")  # on days on which nobody else came
FIRST = date(2026, 10, 1)
CLINIC = f"""\
time_zone = "America/Chicago"
licences = ["srs"]
client_links = "links.csv"
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
id_space = "practice"
covers = "all"
[sources.clients]
files = "clients_%Y-%m-%d.csv"
id_space = "practice"
covers = "all"
{PORTAL_SECTION}covers = "all"
stands_alone = true
"""
NAMES = ("practice", "surgery", "praxis")  # of one id space, one after the other
KINDS = {"clients": "client_id", "sessions": "session_id", "responses": "response_id", "episodes": "episode_id"}


def deliver(place: Place, day: date) -> None:
    """Both systems' whole exports of a day, with everything since September."""
    since = [FIRST - timedelta(days=20) + timedelta(days=each) for each in range((day - FIRST).days + 20)]
    met = [(f"MRN-{n}", f"USER-{n}", each, "8") for n in (1, 2, 3) for each in since if each.day % 4 == n]
    met += [(NUMBER, PORTAL, date.fromisoformat(each), "7.31") for each in CAME]
    met += [(NUMBER, PORTAL, each, "7.31") for each in since if each >= FIRST and each.day % 4 == 0]
    held = [f"A{who}-{each},{who},{each}T10:00,attended,T1" for who, _, each, _ in met]
    place.deliver(f"appointments_{day}.csv", "appointment_id,client_id,starts_at,status,therapist_id", held)
    people = [f"{NUMBER},{BORN},female", *(f"MRN-{n},2000-01-0{n},male" for n in (1, 2, 3))]
    place.deliver(f"clients_{day}.csv", "client_id,birth_date,sex", people)
    rows = [f"{user},{each} 10:55,{','.join([answer] * 4)}" for _, user, each, answer in met]
    place.deliver(f"portal_{day}.csv", "user,when,a,b,c,d", rows)


def nights_at(folder: Path, count: int) -> Place:
    """So many nights, the first on 1 October; in the middle the practice's id space gets another name."""
    place = open_place(folder, CLINIC)
    links = [f"practice,{number},portal,{user}" for number, user in ((NUMBER, PORTAL), ("MRN-1", "USER-1"))]
    (place.folder / "links.csv").write_text("\n".join(["space,id,space,id", *links, ""]))
    for each in range(count):
        if each == count // 2:
            rename(place, 2)
        one_more_night(place, each)
    return place


def rename(place: Place, count: int) -> None:
    """Give the practice's id space the last of so many names; client_links.csv has the first one still."""
    was = [f'{name} = {{ was = "{before}" }}' for before, name in pairwise(NAMES[:count])]
    renamed = CLINIC.replace('"practice"', f'"{NAMES[count - 1]}"')
    place.clinic.write_text("\n".join([renamed + "[spaces]", *was, ""]))


def one_more_night(place: Place, number: int) -> None:
    day = FIRST + timedelta(days=number)
    deliver(place, day)
    place.night(f"{day}T12:00", but_for_finished_tables)


def words_of(place: Place) -> list[str]:
    """What is the person's alone: ids, numbers, birth date, days."""
    born = f"client_id = (SELECT client_id FROM sessions WHERE session_date = '{CAME[0]}')"
    ids = [value for table, key in KINDS.items() for (value,) in place.ask(f"SELECT {key} FROM {table} WHERE {born}")]
    ids += [value for (value,) in place.ask(f"SELECT own_id FROM load.client_links WHERE {born}")]
    return [*map(str, ids), *(each.hex for each in ids), NUMBER, PORTAL, BORN, *CAME]


def forgotten(place: Place) -> int:
    who = ["--space", "portal", "--client", PORTAL, "--exports", str(place.exports)]
    return forget.main([*who, "--clinic", str(place.clinic), "--warehouse", str(place.warehouse)])


def restored(place: Place, load: int) -> None:
    order = restore.place_restoration(place.clinic, place.warehouse, load)
    restore.restore(order, load)


def finds(place: Place, words: list[str], erased_by: int = 0) -> list[str]:
    """Where the person is found in anything that the warehouse keeps: as a word, as deleted rows, as a sum. No amount
    may be told of loads up to the one that took them out."""
    found = [f"{path.name}: {word}" for word, path in search([place.warehouse], words)]
    for version in kept_versions(Folders(place.warehouse).published):
        with open_published(version) as con:
            found += [f"{version.parent.name}: {each}" for each in _deleted(con) + _sums(con, erased_by)]
    return found


def _deleted(con: duckdb.DuckDBPyConnection) -> list[str]:
    stored = stored_rows(con).items()
    counts = {table: con.sql(f"SELECT count(*) FROM {table}").fetchone()[0] for table, _ in stored}
    return [f"{table} holds deleted rows" for table, count in stored if count > counts[table]]


def _sums(con: duckdb.DuckDBPyConnection, erased_by: int) -> list[str]:
    moved = con.sql(f"""
        SELECT headline, numerator_change AS amount FROM load.movements
        WHERE amount % 1 <> 0 OR load_id <= {erased_by} AND cause <> 'standing' AND amount IS NOT NULL
        UNION ALL
        SELECT table_name, added_count FROM load.changes WHERE load_id <= {erased_by} AND added_count IS NOT NULL
        """).fetchall()
    scores = con.sql("SELECT score FROM scores WHERE score % 1 <> 0").fetchall()
    return [f"{headline} moved by {amount}" for headline, amount in moved] + [f"score {score}" for (score,) in scores]


def follows(place: Place) -> bool:
    """Whether every table follows from the records, in which the person is not."""
    return verify(place_change(place.clinic, place.warehouse)).is_equal


def erased_after(folder: Path, count: int) -> list[str]:
    """What is found after so many nights, an erasure, one more night under a new name of the id space, an older load
    published again, and a night."""
    place = nights_at(folder, count)
    words = words_of(place)
    wrong = [] if finds(place, words) else ["nothing was found before the erasure"]
    assert forgotten(place) == 0
    load = count + 1
    wrong += finds(place, words, load)
    rename(place, 3)
    one_more_night(place, count)
    wrong += finds(place, words, load)
    restored(place, load - 2)
    one_more_night(place, count + 1)
    wrong += finds(place, words, load)
    return wrong if follows(place) else [*wrong, "the tables do not follow from the records"]
