"""Interrupt what takes people out, at each of its steps: python interrupting.py WORK COUNT SHARE OF SEED.

Four commands begin where a kept file still holds somebody who is to be gone: forget; compact, of what is kept no
longer; restore and a change of the key, after an erasure that was killed. Each is killed before one of its calls that
change a file, or finds the disk full there, or from some size on. Then comes a night; its exports still hold everybody.
`make soak` runs all; test_interrupted_erasure.py runs a few in its own process.
"""

import errno
import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import rapport.flows.private.erasure
from rapport.flows.ops import compact, forget, restore
from rapport.flows.private.open_erasures import open_erasures
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.store import encryption
from tests.breaking.killing import arguments, end, exports, finished, fork
from tests.breaking.watching import watching
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables
from tests.warehouse.history import test_expired_episodes as clinic

KEY = "a-key-of-a-test-" + "7c" * 16
WHO = ("--space", "practice", "--client", "P2")
CHANGES = ("replace", "rename", "unlink", "rmdir", "mkdir", "fsync")  # of a file: the calls that are interrupted
SIZES = [0, 100, 500, 2_000, 10_000, 50_000, 250_000, 1_000_000, 3_000_000, 5_000_000]  # bytes that a file may have
STRIDE = 37  # between the calls of one round and the next: a few rounds are spread over all
WAYS = ("killed", "full", "small")


def forgotten(place: Place) -> int:
    return forget.main(arguments(place, *exports(place), *WHO))


def compacted(place: Place) -> int:
    with patch("rapport.flows.ops.compact.check_tables"):
        return compact.main(arguments(place))


def rekeyed(place: Place) -> int:
    os.environ[encryption.KEY] = KEY
    return compacted(place)


COMMANDS: dict[str, Callable[[Place], int]] = {
    "forget": forgotten,
    "compact": compacted,
    "restore": lambda place: restore.main(arguments(place, "--version", "1")),
    "key": rekeyed,
}


def main(work: Path, count: int, share: int, of: int, seed: int) -> None:
    with few_tables():
        begun, whole = work / "begun", {}
        finished(fork(lambda: begin(begun)))
        for name in COMMANDS:
            copied = Place(begun / name).copied_to(work / f"whole-{name}")
            finished(fork(lambda name=name, copied=copied: count_changes(copied, name)))
            whole[name] = int((copied.folder / "changes").read_text())
        for number in range(share, count, of):
            name, way, at = a_case(number, seed, whole)
            victim = Place(begun / name).copied_to(work / str(number))
            os.waitpid(fork(lambda name=name, victim=victim, way=way, at=at: interrupt(victim, name, way, at)), 0)
            finished(fork(lambda name=name, victim=victim, way=way, at=at: tell(victim, name, f"{way} at {at}")))
            shutil.rmtree(victim.folder)


def a_case(number: int, seed: int, whole: dict[str, int]) -> tuple[str, str, int]:
    """Each command in each way in turn, and further on in every round."""
    name, way = list(COMMANDS)[number % len(COMMANDS)], WAYS[number // len(COMMANDS) % len(WAYS)]
    turn = number // (len(COMMANDS) * len(WAYS)) + seed
    return name, way, SIZES[turn % len(SIZES)] if way == "small" else 1 + turn * STRIDE % whole[name]


def begin(begun: Path) -> None:
    """The place of each command: two nights, and for two of them an erasure that did not reach the kept files."""
    place = clinic.two_nights_at(begun / "forget")
    expiring = place.copied_to(begun / "compact")
    expiring.clinic.write_text(clinic.CLINIC + clinic.KEEP)
    note_ids(expiring, "true")
    note_ids(place, "{}")
    killed = place.copied_to(begun / "restore")
    with (
        patch.object(rapport.flows.private.erasure, "_clean_kept", side_effect=KeyboardInterrupt),
        redirect_stdout(StringIO()),
    ):
        try:
            forgotten(killed)
        except KeyboardInterrupt:
            killed.copied_to(begun / "key")


def note_ids(place: Place, whose: str) -> None:
    """Whose ids are to be found nowhere."""
    (place.folder / "ids.json").write_text(json.dumps(sorted(clinic.old_ids(place, whose))))


def count_changes(place: Place, name: str) -> None:
    counts = [0]
    with watching(counts.append, names=CHANGES), redirect_stdout(StringIO()):
        assert COMMANDS[name](place) == 0
    (place.folder / "changes").write_text(str(max(counts)))


def interrupt(place: Place, name: str, way: str, at: int) -> None:
    """Run a command that is killed, or finds no room."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        if way == "small":
            resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))
            COMMANDS[name](place)
            return
        with stopping(at, end if way == "killed" else full):
            COMMANDS[name](place)


def stopping(at: int, stop: Callable[[], object]) -> AbstractContextManager:
    """From a call on that changes a file, each ends like this."""
    return watching(lambda count: count >= at and stop(), names=CHANGES)


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def tell(place: Place, name: str, moment: str) -> None:
    """One line of JSON."""
    os.write(1, (json.dumps({"moment": f"{name}: {moment}", **look(place, name)}) + "\n").encode())


def look(place: Place, name: str) -> dict[str, object]:
    """Who is found in the kept files after the next night, and whether that is over."""
    folders = Folders(place.warehouse)
    is_begun = bool(open_erasures(folders)) or folders.receipts.exists()
    clinic.deliver(place, 14)
    if name == "key":  # as the runbook says: once more
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            assert rekeyed(place) == 0
    place.night("2026-11-14T12:00", run=but_for_finished_tables)
    if not is_begun:  # it has done nothing yet: the user does it again
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            assert COMMANDS[name](place) == 0
    ids = set(json.loads((place.folder / "ids.json").read_text()))
    return {
        "is_begun": is_begun,
        "found": clinic.old_left(place, ids),
        "open": len(open_erasures(folders)),
        "leftovers": [str(path) for path in place.leftovers()],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
