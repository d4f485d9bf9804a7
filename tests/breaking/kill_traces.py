"""What a killed command left: which load each reader finds, what the pages say, what is known of whom."""

from pathlib import Path

import duckdb

from tests.clinics.nights import Place

# Loads are numbered otherwise after a kill: a load stands as its clock, and the order of records is that within a load.
CLOCK = "(SELECT max(as_of) FROM load.loads AS l WHERE l.load_id = t.{})"
WITHOUT_LOADS = {name: CLOCK.format(name) for name in ("known_from", "known_to", "load_id")}
WITHOUT_LOADS["loaded_number"] = "loaded_number % 4294967296"


def loads_told(place: Place) -> list[int]:
    """The load of the analysts' file, the safe file, the crosswalk and the worklist, as their readers find them."""
    loads = [asked_of(place.warehouse / name) for name in ("analysts/rapport.duckdb", "shared/rapport_safe.duckdb")]
    crosswalk = (place.warehouse / "private/crosswalk.parquet").readlink()
    heading, *listed = (place.warehouse / "private/worklist.csv").read_text().splitlines()
    worklist = [int(listed[0])] if heading == "load_id" else []  # as killing.py writes it of few tables
    return [*loads, int(crosswalk.parent.name.rpartition("-")[2]), *worklist]


def asked_of(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.sql("SELECT load_id FROM load.current").fetchone()[0]


def pages_that_do_not_tell(place: Place) -> list[str]:
    """Pages of another load than the published one that do not say so."""
    load_id = asked_of(place.published)
    pages = (place.warehouse / "shared/pages").glob("*/index.html")
    told = {page.parent.name: page.read_text() for page in pages if page.parent.name != "dictionary"}
    return [name for name, html in told.items() if f'data-load="{load_id}"' not in html and "was not drawn" not in html]


def what_is_known(published: Path) -> dict[str, list]:
    """Every table of main and history: its rows, and the sum of their hashes. A load stands in them as its clock."""
    with duckdb.connect(str(published), read_only=True) as con:
        listed = (
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'history') ORDER BY ALL"
        )
        return {f"{schema}.{table}": _fingerprint(con, schema, table) for schema, table in con.sql(listed).fetchall()}


def _fingerprint(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> list:
    columns = "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
    named = {name for (name,) in con.execute(columns, [schema, table]).fetchall()}
    told = ", ".join(f"{said} AS {name}" for name, said in WITHOUT_LOADS.items() if name in named)
    rows = f"SELECT * {f'REPLACE ({told})' if told else ''} FROM {schema}.{table} AS t"
    return [int(each or 0) for each in con.sql(f"SELECT count(*), sum(hash(r)::HUGEINT) FROM ({rows}) AS r").fetchone()]


def clients_kept(place: Place) -> list[int]:
    """How many clients each kept version knows."""
    counts = []
    for version in sorted((place.warehouse / "analysts/versions").glob("*/rapport.duckdb")):
        with duckdb.connect(str(version), read_only=True) as con:
            counts += con.sql("SELECT count(DISTINCT client_id)::INTEGER FROM history.appointments").fetchone()
    return counts
