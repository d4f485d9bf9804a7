"""Publish again and again under readers, and look at what they saw: python publications.py PLACE COUNT SEED.

Each publication is real: most publish what is known again, as `rapport restore` does, which costs a copy, the books and
the move; every tenth is a whole night of one more day. A reader opens the published file through its symlink, over and
over in one process, and must always see one whole published version.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import duckdb

from tests.clinics.nights import ROOT, Place

READERS = 4
NIGHT_EVERY = 10
TABLES = (
    "main.appointments",
    "main.sessions",
    "main.scores",
    "history.appointments",
    "history.responses",
    "load.files",
)
COUNTS = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
WHOLE = f"""SELECT load_id, (SELECT max(load_id) FROM load.loads), (SELECT count(*) FROM load.loads),
    (SELECT count(score) FROM main.scores), {COUNTS} FROM load.current"""


@dataclass
class Seen:
    """What the readers saw: how often they opened the file, how many versions, and all that was wrong."""

    publications: int
    nights: int
    opened: int
    versions: int
    wrong: list[str]
    seconds: float
    cpu_seconds: float


def publish_under_readers(place: Place, count: int) -> Seen:
    """Publish `count` times while four processes read. The place's last night was that of 18 November."""
    published = {**whole(place)}
    began, cpu = time.monotonic(), time.process_time()
    over = place.folder / "over"
    with ExitStack() as readers:
        command = [sys.executable, "-m", "tests.clinics.publications", str(place.published), str(over)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
        running = [readers.enter_context(subprocess.Popen(command, **pipes)) for _ in range(READERS)]
        try:
            for number in range(1, count + 1):
                publish(place, number)
                published |= whole(place)
        finally:
            over.touch()
        told = [reader.communicate(timeout=300) for reader in running]
    took = time.monotonic() - began, time.process_time() - cpu
    wrong = [
        f"a reader ended with {reader.returncode}: {complaint}"
        for reader, (_, complaint) in zip(running, told, strict=True)
        if complaint or reader.returncode
    ]
    seen = [json.loads(said) for said, _ in told if said]
    for each in seen:
        wrong += [f"load {load} was seen as {row}" for load, row in each["rows"] if published.get(load) != row]
    versions = {load for each in seen for load, _ in each["rows"]}
    nights = sum(number % NIGHT_EVERY == 0 for number in range(1, count + 1))
    return Seen(count, nights, sum(each["opened"] for each in seen), len(versions), wrong, *took)


def publish(place: Place, number: int) -> None:
    """What is known again as a new load; every tenth time a night of one more day."""
    from rapport.flows.ops.restore import restore  # noqa: PLC0415
    from rapport.flows.order import place_change  # noqa: PLC0415
    from rapport.warehouse.places.versions import current_load  # noqa: PLC0415
    from tests.clinics.nights import APPOINTMENTS, held  # noqa: PLC0415

    if number % NIGHT_EVERY:
        with patch("rapport.flows.pages.draw.draw_pages", lambda order: []):  # nobody reads pages here
            restore(place_change(place.clinic, place.warehouse), current_load(place.published))
        return
    day = 1 + number // NIGHT_EVERY % 16
    later = held(100 + number, day)
    place.deliver(f"appointments_2026-11-18_{number:04d}.csv", APPOINTMENTS, [later])
    place.night("2026-11-18T12:00")


def whole(place: Place) -> dict[int, list]:
    """What the version that is published now says, by its load."""
    (row,) = place.ask(WHOLE)
    return {row[0]: list(row)}


def read(path: str, over: Path) -> None:
    """Open and ask until it is over; one connection in five stays open while others come and go."""
    rows, opened, held, is_over, parent = {}, 0, [], False, os.getppid()
    while not is_over:
        is_over = over.exists() or os.getppid() != parent
        con = duckdb.connect(path, read_only=True)
        opened += 1
        row = con.sql(WHOLE).fetchone()
        if rows.setdefault(row[0], row) != row or row[0] < max(rows):
            raise SystemExit(f"load {row[0]} was seen as {row} after {rows}")
        held.append((con, row)) if opened % 5 == 0 else con.close()
        if len(held) > 2:
            old, first = held.pop(0)
            if old.sql(WHOLE).fetchone() != first:
                raise SystemExit("an open connection sees another version")
            old.close()
        time.sleep(0.3)
    print(json.dumps({"opened": opened, "rows": [[load, list(row)] for load, row in rows.items()]}))


if __name__ == "__main__":
    read(sys.argv[1], Path(sys.argv[2]))
