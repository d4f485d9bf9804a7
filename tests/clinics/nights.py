"""A small clinic to run nights on, and questions to the file that a night left. Fixtures are in conftest.py."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
ALARMING = ("Traceback", "Warning", "Error", "Exception")
LONG_AGO = 1_750_000_000  # a file written then has stopped growing: the night need not look twice
CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]

[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"

[sources.responses]
files = "responses_%Y-%m-%d*.csv"
"""
STEPS = (
    *("begin", "discover", "read", "check records", "keep history"),
    *("compute tables", "compute clinic tables", "check tables", "match sources", "publish", "draw pages"),
)
# Surveys of a second system, which knows clients by a user of its own.
PORTAL_SECTION = """\
[sources.portal]
format = "wide"
files = "portal_%Y-%m-%d.csv"
id_space = "portal"
client_id = "user"
completed_at = "when"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
"""
APPOINTMENTS = "appointment_id,client_id,starts_at,status,therapist_id"
RESPONSES = "response_id,client_id,instrument,rater,completed_at,item,value"


def held(client: int, day: int) -> str:
    """An attended appointment of November 2026."""
    return f"A{client}-{day},C{client},2026-11-{day:02d}T{9 + client % 8:02d}:00,attended,T{client % 2}"


def answered(client: int, day: int) -> list[str]:
    """The SRS of that appointment, one row per item."""
    when = f"2026-11-{day:02d}T{9 + client % 8:02d}:50"
    return [
        f"R{client}-{day},C{client},srs,client,{when},{item},{5 + (client + day + item) % 5}" for item in (1, 2, 3, 4)
    ]


@dataclass(frozen=True)
class Place:
    """A folder with exports, a clinic file and a warehouse in it."""

    folder: Path

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def clinic(self) -> Path:
        return self.folder / "clinic.toml"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def published(self) -> Path:
        return self.warehouse / "analysts/rapport.duckdb"

    def deliver(self, name: str, header: str, rows: list[str]) -> Path:
        return self.drop(name, "\n".join([header, *rows, ""]).encode())

    def drop(self, name: str, content: bytes) -> Path:
        path = self.exports / name
        path.write_bytes(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
        return path

    def deliver_day(self, day: int, first: int | None = None, clients: int = 6) -> None:
        """The files of the night after a day: what was held on the days from `first` on."""
        met = [(client, each) for client in range(clients) for each in range(first or day, day + 1)]
        self.deliver(f"appointments_2026-11-{day + 1}.csv", APPOINTMENTS, [held(*each) for each in met])
        self.deliver(f"responses_2026-11-{day + 1}.csv", RESPONSES, [row for each in met for row in answered(*each)])

    def command(self, as_of: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "rapport", "night", *self.arguments(as_of, *more)]

    def arguments(self, as_of: str, *more: str) -> list[str]:
        folders = {"--exports": self.exports, "--clinic": self.clinic, "--warehouse": self.warehouse}
        return [*(str(part) for pair in folders.items() for part in pair), "--as-of", as_of, *more]

    def night(self, as_of: str, run: Callable | None = None, **more: object):
        """A night as a plain function, without Prefect and without its pages; `run` runs its steps."""
        from rapport.flows.night import night  # noqa: PLC0415  importing polars and DuckDB's tables is not free
        from rapport.flows.order import place_order  # noqa: PLC0415

        return night(place_order(self.exports, self.clinic, self.warehouse, as_of, **more), run or but_for_pages)

    def ask(self, sql: str) -> list[tuple]:
        """A question to the published file, as an analyst asks it."""
        with duckdb.connect(str(self.published), read_only=True) as con:
            return con.sql(sql).fetchall()

    def standing(self) -> tuple[str, str, list[tuple]]:
        """Which version is published, its bytes, and that it answers."""
        content = hashlib.sha256(self.published.read_bytes()).hexdigest()
        return str(self.published.readlink()), content, self.ask("SELECT count(*), sum(score) FROM scores")

    def leftovers(self) -> list[Path]:
        """What a night should not leave: building files, links not moved, versions that nothing points to."""
        current = {self.published.resolve(), (self.warehouse / "private/crosswalk.parquet").resolve()}
        newest = max(path.parent.name for path in current)[:16]
        versions = [path for path in self.warehouse.glob("*/versions/*") if path.name[:16] > newest]
        versions += self.warehouse.glob("private/publishing.json")
        return [*(self.warehouse / "private/building").iterdir(), *self.warehouse.glob("*/.*.new"), *versions]

    def twin(self) -> "Place":
        """Another warehouse of the same exports, clinic file and key, with nothing published."""
        other = open_place(self.folder.parent / "twin", self.clinic.read_text(encoding="utf-8"))
        shutil.copy(self.warehouse / "private/key", other.warehouse / "private/key")
        shutil.copytree(self.exports, other.exports, dirs_exist_ok=True)
        return other

    def copied_to(self, folder: Path) -> "Place":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Place(folder)


def open_place(folder: Path, clinic: str = CLINIC) -> Place:
    """A place with a clinic file and a key, and nothing delivered yet."""
    from rapport.flows.private.key import make_key  # noqa: PLC0415
    from rapport.warehouse.places.folders import Folders  # noqa: PLC0415

    place = Place(folder)
    place.exports.mkdir(parents=True)
    place.clinic.write_text(clinic, encoding="utf-8")
    make_key(Folders(place.warehouse))
    return place


def but_for_pages(name: str, work: Callable):
    """Runs a night's steps but the drawing of its pages, after all is published."""
    from rapport.flows.pages.draw import Drawn  # noqa: PLC0415

    return Drawn() if name == "draw pages" else work()


def writable(version: Path) -> Path:
    """A published file that is to be changed as if a night had written it so: its digest would tell otherwise."""
    version.chmod(0o640)
    (version.parent / "SHA256SUMS").unlink()
    return version


def but_for_finished_tables(name: str, work: Callable):
    """And but for the check of the finished tables too: it changes none, and is most of a small night."""
    from rapport.flows.pages.draw import Drawn  # noqa: PLC0415
    from rapport.flows.steps.check import Checked  # noqa: PLC0415

    left_out = {"check tables": Checked(), "draw pages": Drawn()}
    return left_out[name] if name in left_out else work()


def demo_place(folder: Path, **asked: int) -> Place:
    """A place with the exports and the clinic file of a demo clinic."""
    from rapport.flows.demo import write  # noqa: PLC0415

    place = open_place(folder)
    write(place.folder, **asked)
    for path in place.exports.iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return place


def differences(one: Path, other: Path, schemas: tuple[str, ...] = ("main", "history")) -> dict[str, int]:
    """Rows in one file and not in the other, either way round, of every table in those schemas."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{one}' AS one (READ_ONLY)")
        con.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
        places = ", ".join(f"'{schema}'" for schema in schemas)
        listed = f"SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name IN ({places})"
        tables = {name for (name,) in con.sql(f"{listed} AND database_name IN ('one', 'other')").fetchall()}
        assert len(tables) >= 8
        return {table: count for table in sorted(tables) if (count := _differing(con, table))}


def _differing(con: duckdb.DuckDBPyConnection, table: str) -> int:
    if _fingerprint(con, f"one.{table}") == _fingerprint(con, f"other.{table}"):
        return 0
    ways = (f"(FROM {a}.{table} EXCEPT ALL FROM {b}.{table})" for a, b in (("one", "other"), ("other", "one")))
    return sum(con.sql(f"SELECT count(*) FROM {way}").fetchone()[0] for way in ways)


def _fingerprint(con: duckdb.DuckDBPyConnection, table: str) -> tuple:
    """How many rows, and the sum of their hashes: the same rows in any order have the same."""
    return con.sql(f"SELECT count(*), sum(hash(each)::HUGEINT) FROM {table} AS each").fetchone()
