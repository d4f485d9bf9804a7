"""Spoil one file of a warehouse, then run one command over it: python spoiling.py PLACE COUNT SHARE OF SEED.

Run as a script, everything is imported once; then each command is a forked process of its own, for DuckDB may end a
process over damaged bytes. That process itself never uses polars or DuckDB: their threads would not survive the fork.
"""

import contextlib
import io
import json
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from unittest.mock import patch

import polars as pl

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from rapport.flows import nightly
from rapport.flows.messages import tell
from rapport.flows.ops import (
    as_known_on,
    backfill,
    backup,
    compact,
    erasure_requests,
    forget,
    freshness,
    inbox,
    person,
    query,
    restore,
    verify,
)
from rapport.flows.pages import draw, worklist
from rapport.flows.prefect_tasks.settings import make_home
from rapport.flows.private import key
from rapport.flows.workbench import run_directly
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import CLINIC, Place, but_for_finished_tables, open_place

NEXT = "2026-11-20T12:00"
GONE, NEXT_TO_GO = "C5", "C4"  # who was taken out, and for whom a request waits
TREES = {"published": "analysts/{}/rapport.duckdb", "safe": "shared/{}/rapport_safe.duckdb"}
TREES |= {"crosswalk": "private/{}/crosswalk.parquet"}


def begin(folder: Path) -> Place:
    """A clinic with three loads (a night, an erasure, a night), a row that waits, a request that waits, a night that
    failed, and the files of the next night."""
    place = open_place(folder, 'on_failure = "true"\n' + CLINIC.replace('.csv"', '.csv"\ncovers = "all"'))
    _deliver(place, 17)
    place.night("2026-11-18T12:00", but_for_finished_tables)
    assert _quietly(forget.main, [*_exports(place), "--space", "clinic", "--client", GONE]) == 0
    _deliver(place, 18)
    place.night("2026-11-19T12:00", but_for_finished_tables)
    _deliver(place, 19)
    private = place.warehouse / "private"
    failed = {"load_id": 4, "purpose": "night", "reason": "the disk is full"}
    at = "2026-11-19T13:00:00+00:00"
    (private / "attempts.jsonl").write_text(
        json.dumps(failed | dict.fromkeys(("as_of", "started_at", "finished_at"), at)) + "\n"
    )
    (private / "forget.csv").write_text(f"space,client,since\nclinic,{NEXT_TO_GO},\n")
    (private / "still_holding.csv").write_text("load_id,file\n2,appointments_2026-11-18.csv\n")
    (private / "told.json").write_text(json.dumps({"night": {"since": at, "count": 1, "told": {"why": at}}}))
    (private / "tell").write_text("json://localhost:1/\n")
    return place


def _deliver(place: Place, day: int) -> None:
    """All that was held up to a day, and a response that a rule holds back."""
    place.deliver_day(day, first=2)
    file = place.exports / f"responses_2026-11-{day + 1}.csv"
    place.drop(file.name, file.read_bytes() + b"RX,C1,srs,nobody,2026-11-10T10:00,1,5\n")


def _quietly(main: Callable[[list[str]], int], words: list[str]) -> int:
    with contextlib.redirect_stdout(io.StringIO()):
        return main(words)


# The files, and how each may be damaged.


def _of_load(tree: str, load: int, name: str | None = None) -> Callable[[Place], Path]:
    def found(place: Place) -> Path:
        (version,) = place.warehouse.glob(TREES[tree].format(f"versions/*-{load:06d}"))
        return version.with_name(name) if name else version

    return found


def _private(name: str) -> Callable[[Place], Path]:
    return lambda place: next((place.warehouse / "private").glob(name), place.warehouse / "private" / name)


FILES: dict[str, Callable[[Place], Path]] = {
    "the published file": _of_load("published", 3),
    "an older version": _of_load("published", 1),
    "the safe file": _of_load("safe", 3),
    "an older safe file": _of_load("safe", 1),
    "the crosswalk": _of_load("crosswalk", 3),
    "an older crosswalk": _of_load("crosswalk", 1),
    "load.json": _of_load("published", 3, "load.json"),
    "load.json of the safe file": _of_load("safe", 3, "load.json"),
    "load.json of the crosswalk": _of_load("crosswalk", 3, "load.json"),
    "publishing.json": _private("publishing.json"),
    "key": _private("key"),
    "tombstones": _private("tombstones"),
    "tombstone_key": _private("tombstone_key"),
    "attempts.jsonl": _private("attempts.jsonl"),
    "lines": _private("lines/*.parquet"),
    "worklist.csv": _private("worklist.csv"),
    "forget.csv": _private("forget.csv"),
    "receipts.jsonl": _private("receipts.jsonl"),
    "still_holding.csv": _private("still_holding.csv"),
    "told.json": _private("told.json"),
    "tell": _private("tell"),
    "heartbeat": _private("heartbeat"),
    "night.lock": _private("night.lock"),
    "erasing.json": _private("erasing.json"),
    "person_reports.jsonl": _private("person_reports.jsonl"),
    "page_folders.json": _private("page_folders.json"),
}


def _overwritten(data: bytes, at: int, other: bytes) -> bytes:
    return (data[:at] + other + data[at + len(other) :])[: len(data)]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(len(data), 1))
    return _overwritten(data, at, bytes([data[at] ^ (1 << chance.randrange(8))]) if data else b"")


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes] | None] = {
    "empty": lambda data, chance: b"",
    "cut after a few bytes": lambda data, chance: data[:17],
    "cut in its first tenth": lambda data, chance: data[: len(data) // 14],
    "cut in its middle": lambda data, chance: data[: len(data) // 2],
    "without its last bytes": lambda data, chance: data[: max(len(data) - chance.choice((1, 4, 300)), 0)],
    "torn": lambda data, chance: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "zeros": lambda data, chance: bytes(len(data)),
    "random header": lambda data, chance: _overwritten(data, 0, chance.randbytes(4096)),
    "random middle": lambda data, chance: _overwritten(data, len(data) // 2, chance.randbytes(len(data) // 8)),
    "one flipped bit": _flipped,
    "longer": lambda data, chance: data + chance.randbytes(4096),
    "a text": lambda data, chance: b"This file was moved.\nAsk the help desk.\n",
    "not UTF-8": lambda data, chance: b"\xff\xfe\x81\xe9\n" + data,
    "a folder": None,
}
PASSING = {  # what is not there, or only for a time
    "heartbeat": b"nowhere:1\n",
    "publishing.json": b'{"load": 3, "stamp": "20261119T120000Z-000003"}\n',
    "erasing.json": (
        b'[{"people": {"abab": [null, null, 0]}, "begun_at": "2026-11-19T12:30:00+00:00", "reason": "taken out"}]\n'
    ),
    "person_reports.jsonl": b'{"made_at": "2026-11-19T12:30:00+00:00"}\n',
    "page_folders.json": b'{"site-main": ["site", "main"]}\n',
}


def spoil(path: Path, damage: str, chance: random.Random) -> None:
    """Damage a file. One that is not there is damaged as if it were."""
    data = path.read_bytes() if path.is_file() else PASSING[path.name]
    how = DAMAGES[damage]
    path.unlink(missing_ok=True)
    if how is None:
        path.mkdir()
        (path / "left.txt").write_text("left")
    else:
        path.write_bytes(how(data, chance))
        path.chmod(0o600)


# The commands.


@dataclass(frozen=True)
class Command:
    """A command with its arguments for a place."""

    main: Callable[[list[str]], int]
    words: Callable[[Place], list[str]]
    has_lost_link: bool = False


def _both(place: Place) -> list[str]:
    return ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]


def _exports(place: Place) -> list[str]:
    return ["--exports", str(place.exports), *_both(place)]


def _given(*more: str) -> Callable[[Place], list[str]]:
    return lambda place: [*_both(place), *more]


def _reading(*more: str) -> Callable[[Place], list[str]]:
    return lambda place: [*_exports(place), *more]


def _alone(place: Place) -> list[str]:
    return ["--warehouse", str(place.warehouse)]


def _into(name: str, words: Callable[[Place], list[str]]) -> Callable[[Place], list[str]]:
    return lambda place: [*words(place), str(place.folder / name)]


COMMANDS: dict[str, Command] = {
    "nightly": Command(nightly.main, _reading("--as-of", NEXT)),
    "nightly --check": Command(nightly.main, _reading("--as-of", NEXT, "--check")),
    "backfill": Command(backfill.main, _reading("--as-of", NEXT)),
    "compact": Command(compact.main, _both),
    "verify": Command(verify.main, _both),
    "restore": Command(restore.main, _both),
    "restore --version 1": Command(restore.main, _given("--version", "1")),
    "restore --version 2": Command(restore.main, _given("--version", "2")),
    "restore --version 3": Command(restore.main, _given("--version", "3")),
    "restore --point-link": Command(restore.main, _given("--point-link"), has_lost_link=True),
    "forget": Command(forget.main, _reading("--space", "clinic", "--client", NEXT_TO_GO)),
    "erasure_requests": Command(erasure_requests.main, _exports),
    "quarantine list": Command(inbox.main, lambda place: ["list", *_both(place)]),
    "quarantine show": Command(inbox.main, lambda place: ["show", *_exports(place), "2"]),
    "quarantine discard": Command(inbox.main, lambda place: ["discard", *_both(place), "2"]),
    "query": Command(query.main, lambda place: [*_alone(place), "--sql", "FROM load.current"]),
    "freshness": Command(freshness.main, _given("--as-of", "2026-11-19T12:30")),
    "freshness --tell": Command(freshness.main, _given("--as-of", "2026-11-19T12:30", "--tell")),
    "worklist": Command(worklist.main, _both),
    "pages": Command(draw.main, _both),
    "as_known_on": Command(as_known_on.main, _into("then.duckdb", _given("--day", "2026-11-19", "--out"))),
    "backup": Command(backup.main, _into("kept", lambda place: [*_alone(place), "--to"])),
    "telling": Command(tell.main, _both),
    "key": Command(key.main, _alone),
    "person": Command(person.main, _into("person", _given("--space", "clinic", "--client", "C1", "--out"))),
}
BEGIN_A_LOAD = {"nightly", "nightly --check", "backfill", "compact", "forget", "erasure_requests", "quarantine discard"}
BEGIN_A_LOAD |= {"restore --version 1", "restore --version 2", "restore --version 3"}
READ_THE_FILE = {"verify", "quarantine list", "quarantine show", "query", "worklist", "pages", "as_known_on", "person"}
HOLD_THE_LOCK = BEGIN_A_LOAD | {"worklist", "pages", "backup", "restore --point-link"}
# What cannot do without a file, and so ends with a sentence that names it, when not a byte of it is right. The others
# do their work.
NEED: dict[str, set[str]] = {
    "the published file": BEGIN_A_LOAD - {"restore --version 1", "restore --version 2"} | READ_THE_FILE,
    "an older version": {"restore --version 1", "forget", "erasure_requests"},
    "the safe file": {"pages"},
    "the crosswalk": BEGIN_A_LOAD - {"restore --version 1", "restore --version 2"}
    | {"verify", "worklist", "as_known_on", "person"},
    "an older crosswalk": {"restore --version 1", "forget", "erasure_requests"},
    "publishing.json": HOLD_THE_LOCK,
    "key": BEGIN_A_LOAD | {"key", "person"},
    "tombstones": BEGIN_A_LOAD | {"as_known_on", "person"},
    "tombstone_key": BEGIN_A_LOAD | {"as_known_on", "person"},
    "forget.csv": {"erasure_requests"},
    "erasing.json": BEGIN_A_LOAD - {"nightly --check"},
    "page_folders.json": {"pages"},
}
# A folder in a file's place: where there is nothing to be read, nothing may be written either; and a version without
# its file is none.
NEED_A_FILE = NEED | {
    "an older version": {"restore --version 1"},
    "an older crosswalk": {"restore --version 1"},
    "the published file": set(COMMANDS) - {"restore --point-link", "telling", "key"},  # its link is lost
    "receipts.jsonl": {"forget", "erasure_requests"},
    "still_holding.csv": {"erasure_requests"},
    "person_reports.jsonl": {"person"},
    "night.lock": HOLD_THE_LOCK,
}
# A text may be whole all the same, or say something else that is as right.
UNNOTICED = {"one flipped bit", "longer", "without its last bytes", "random middle", "cut in its middle", "torn"}
TEXTS = {"publishing.json", "key", "tombstones", "tombstone_key", "forget.csv", "erasing.json", "page_folders.json"}
NAMES = {
    "the published file": "rapport.duckdb",
    "an older version": ("000001/rapport.duckdb", "no version of load 1"),
    "the safe file": ("rapport_safe.duckdb", "the safe file of load 3"),
    "an older safe file": "000001/rapport_safe.duckdb",
    "the crosswalk": "crosswalk",
    "an older crosswalk": ("000001/crosswalk.parquet", "crosswalk of load 1"),
    "publishing.json": "private/publishing.json",
    "key": ("private/key", "the pseudonym key"),
    "tombstones": "private/tombstones",
    "tombstone_key": "private/tombstone_key",
    "forget.csv": "private/forget.csv",
    "receipts.jsonl": "private/receipts.jsonl",
    "still_holding.csv": "private/still_holding.csv",
    "erasing.json": "private/erasing.json",
    "person_reports.jsonl": "private/person_reports.jsonl",
    "page_folders.json": "private/page_folders.json",
    "night.lock": "/private",
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    out: str
    err: str
    raised: str = ""


@contextmanager
def short_commands() -> Iterator[None]:
    """Commands whose nights compute few tables and run as plain functions, whose pages ask no question, and whose
    worklist has no line."""
    with ExitStack() as patches:
        patches.enter_context(few_tables())
        flow = getattr(nightly.nightly, "fn", nightly.nightly)
        for patched in (
            patch.object(nightly, "nightly", flow),
            patch.object(nightly, "as_tasks", lambda clinic: run_directly),
            patch.object(nightly, "leave_artifacts", lambda *_: None),
            patch.object(nightly, "start_night_server", make_home),
            patch("rapport.flows.messages.report.sample_query", lambda version: None),
            patch.object(worklist, "_listed", lambda *_: pl.DataFrame({"line": [1]})),
            patch.object(draw, "load_questions", dict),
            patch.object(draw, "dictionary_pages", lambda con, before: {}),
            patch("rapport.flows.messages.channels.Channels._notify", lambda self, title, text: True),
        ):
            patches.enter_context(patched)
        patches.enter_context(patch("rapport.flows.pages.draw.draw_pages", DRAW))  # the pages' own command draws them
        yield


DRAW = draw.draw_pages


def run(command: Command, place: Place) -> Ended:
    """A command in this process."""
    out, err, raised, status = io.StringIO(), io.StringIO(), "", None
    if command.has_lost_link:
        place.published.unlink()
    with short_commands(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = command.main(command.words(place))
        except SystemExit as ended:
            status = ended.code
        except BaseException:
            raised = traceback.format_exc()
    return Ended(status, out.getvalue(), err.getvalue(), raised)


def run_apart(command: Command, place: Place) -> Ended:
    """A command in a process of its own, which it may take down."""
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return Ended(**json.loads(told)) if told else Ended(ended, "", "", f"the process ended with {ended}")
    try:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(vars(run(command, place)), pipe)
    finally:
        os._exit(0)


# What is wrong with how one ended.


def complaint(file: str, damage: str, name: str, ended: Ended) -> str | None:
    """What is wrong with how a command ended over a damaged file; None where all is right."""
    said = f"{ended.out}\n{ended.err}"
    if ended.raised or "Traceback" in said or "fault of Rapport" in said:
        return f"broke: {ended.raised.strip().splitlines()[-1:] or ended.err}"
    needed = name in (NEED_A_FILE if damage == "a folder" else NEED).get(file, set())
    worked = (0, 4) if not name.startswith("freshness") or "fresh: " in said else ()
    if ended.status in worked:
        return "worked" if needed and not (file in TEXTS and damage in UNNOTICED) else None
    if file == "the published file" and name.startswith("freshness"):  # load.json may say enough
        return _no_sentence(NAMES[file], name, ended)
    if not needed:
        return f"did not work: {ended.status} {said.strip()}"
    return _no_sentence(NAMES[file], name, ended)


def _no_sentence(names: str | tuple[str, ...], name: str, ended: Ended) -> str | None:
    """What is wrong with what a command says that could not do its work."""
    lines = [line for line in ended.err.splitlines() if not line.startswith(("…", "An erasure that was begun"))]
    if name.startswith("freshness"):
        lines = [line for line in ended.out.splitlines() if line.startswith("not known: ")]
    if len(lines) != 1 or ended.status not in (1, 2):
        return f"not one sentence: {ended.status} {ended.err!r}"
    names = (names,) if isinstance(names, str) else names
    is_named, has_way_out = any(each in lines[0] for each in names), "; " in lines[0] or ": delete " in lines[0]
    return None if is_named and has_way_out else f"does not name the file, or no way out: {lines[0]}"


def cases(count: int, seed: int, commands: set[str] | None = None) -> list[tuple[str, str, str]]:
    """So many of all files, damages and commands, drawn at random."""
    every = list(product(FILES, DAMAGES, sorted(commands or COMMANDS)))
    return random.Random(seed).sample(every, min(count, len(every)))


def spoilt(place: Place, folder: Path, file: str, damage: str) -> Place:
    """A copy of a place with a damaged file."""
    copied = place.copied_to(folder)
    spoil(FILES[file](copied), damage, random.Random(f"{file} {damage}"))
    return copied


def main(place: Place, work: Path, count: int, share: int, of: int, seed: int) -> None:
    """Tell every complaint as a line of JSON, and at the end how many cases there were."""
    chosen = cases(count, seed)[share::of]
    for number, (file, damage, name) in enumerate(chosen):
        copied = spoilt(place, work / str(number), file, damage)
        if wrong := complaint(file, damage, name, run_apart(COMMANDS[name], copied)):
            os.write(1, (json.dumps({"file": file, "damage": damage, "command": name, "wrong": wrong}) + "\n").encode())
        shutil.rmtree(copied.folder)
    os.write(1, (json.dumps({"cases": len(chosen)}) + "\n").encode())


if __name__ == "__main__":
    main(Place(Path(sys.argv[1])), Path(sys.argv[2]), *map(int, sys.argv[3:]))
