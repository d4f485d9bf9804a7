"""Kill commands at seeded moments and look at what is left: python killing.py PLACE WORK COUNT SHARE OF SEED SHORT.

Everything is imported once; then each command is a forked process of its own: many kills do not cost many imports. This
process itself never uses polars or DuckDB: their threads would not survive the fork.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import rapport.expectations.records
import rapport.expectations.suite_outcomes
import rapport.expectations.table_suites
import rapport.flows.night
import rapport.flows.order
import rapport.flows.pages.draw
from rapport import transforms
from rapport.flows.ops import as_known_on, backfill, backup, compact, forget, restore, verify
from rapport.flows.pages import worklist
from tests.breaking.kill_traces import clients_kept, loads_told, pages_that_do_not_tell, what_is_known
from tests.breaking.watching import watching
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import STEPS, Place, but_for_finished_tables

transforms.import_statistics()

YESTERDAY, TONIGHT = "2026-11-19T12:00", "2026-12-02T12:00"
LINKS = (".rapport.duckdb.new", ".crosswalk.parquet.new")
# A night dies in each of its steps, before and after each link's move, and at any moment; the others at a file's move,
# within a call, and at any moment. A second round is of other calls, moves and moments.
LAST = ("compute clinic tables", "any")
NIGHTS = [("night", name) for name in STEPS if name not in LAST]
NIGHTS += [("night", f"{way} {link}") for way in ("before", "after") for link in LINKS]
MORE_NIGHTS = [("night", name) for name in LAST]
REAL_DRAW = rapport.flows.pages.draw.draw_pages


def arguments(place: Place, *more: str) -> list[str]:
    return ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse), *more]


def exports(place: Place) -> tuple[str, str]:
    return "--exports", str(place.exports)


def copied_to(place: Place) -> Path:
    return place.folder / "copy"


def then(place: Place) -> Path:
    return place.folder / "then.duckdb"


COMMANDS: dict[str, Callable[[Place], int]] = {
    "compact": lambda place: compact.main(arguments(place)),
    "verify": lambda place: verify.main(arguments(place)),
    "forget": lambda place: forget.main(arguments(place, *exports(place), "--space", "clinic", "--client", "C1")),
    "restore": lambda place: restore.main(arguments(place, "--version", "1")),
    "backfill": lambda place: backfill.main(arguments(place, *exports(place), "--as-of", TONIGHT)),
    "pages": lambda place: rapport.flows.pages.draw.main(arguments(place)),
    "worklist": lambda place: worklist.main(arguments(place)),
    "backup": lambda place: backup.main(["--warehouse", str(place.warehouse), "--to", str(copied_to(place))]),
    "as_known_on": lambda place: as_known_on.main(arguments(place, "--day", "2026-11-18", "--out", str(then(place)))),
}
CHANGES_HISTORY = ("forget", "restore", "backfill")
WRITES_NOTHING = ("verify", "backup", "as_known_on")  # of the warehouse: nothing of it is moved
FIRST = [(name, "call" if name in WRITES_NOTHING else "move") for name in COMMANDS]
MOMENTS = [*NIGHTS, *FIRST, *MORE_NIGHTS]
MOMENTS += [(name, kind) for kind in ("call", "any") for name in COMMANDS]


def main(place: Place, work: Path, count: int, share: int, of: int, seed: int, is_short: int) -> None:
    """`is_short`: of few tables, and every command dies; else nights of all tables."""
    with few() if is_short else ExitStack():
        kill_commands(place, work, range(share, count, of), seed, MOMENTS if is_short else NIGHTS + MORE_NIGHTS)


@contextmanager
def few() -> Iterator[None]:
    """Few tables and no question; but there are pages, and a worklist that names its load."""
    with few_tables(), ExitStack() as patches:
        patches.enter_context(patch("rapport.flows.pages.draw.draw_pages", REAL_DRAW))
        patches.enter_context(patch("rapport.flows.pages.draw.load_questions", dict))
        patches.enter_context(patch("rapport.flows.pages.draw.dictionary_pages", lambda con, before: before))
        patches.enter_context(patch("rapport.flows.pages.worklist._listed", load_listed))
        patches.enter_context(patch("rapport.flows.steps.publish.worklist_text", worklist.worklist_text))
        yield


def load_listed(con: object, *_: object) -> object:
    from rapport.warehouse.store.frames import fetch  # noqa: PLC0415

    return fetch(con, "SELECT load_id FROM load.current")


def kill_commands(place: Place, work: Path, numbers: range, seed: int, moments: list[tuple[str, str]]) -> None:
    wanted = sorted({moments[number % len(moments)][0] for number in numbers})
    yesterday = place.copied_to(work / "yesterday")
    finished(fork(lambda: begin(yesterday)))
    whole = {name: run_whole(yesterday, work, name) for name in {"night", *wanted}}
    for number in numbers:
        chance = random.Random(seed * 1000 + number)
        name, moment = moments[number % len(moments)]
        killed = kill(yesterday, work / str(number), name, moment, chance, whole[name])
        finished(fork(lambda killed=killed, name=name, moment=moment: look(yesterday, killed, name, moment, whole)))
        shutil.rmtree(killed.folder)


def begin(place: Place) -> None:
    """A second night with its pages, and the next day's files."""
    place.night(YESTERDAY, run=running)
    place.deliver_day(19)


def run_whole(yesterday: Place, work: Path, name: str) -> dict:
    """A command that nobody disturbs: how long it takes, the calls that a kill can fall on, and what is known after it
    and after the night that follows."""
    whole, began = yesterday.copied_to(work / f"whole-{name}"), time.monotonic()
    finished(fork(lambda: count_calls(whole, name)))
    length = time.monotonic() - began
    finished(fork(lambda: note_known(whole, name)))
    shutil.rmtree(whole.warehouse)
    return {"length": length} | json.loads((whole.folder / "whole.json").read_text())


def count_calls(place: Place, name: str) -> None:
    calls = {"call": 0, "move": 0}
    if name == "night":
        for step in STEPS:
            watch_step(step, lambda count, step=step: calls.update({step: count}))
    watch_moves(lambda moved, count: calls.update(move=count))
    run(place, name, None if name == "night" else lambda count: calls.update(call=count))
    (place.folder / "whole.json").write_text(json.dumps({"calls": calls}))


def note_known(place: Place, name: str) -> None:
    facts = json.loads((place.folder / "whole.json").read_text())
    facts["published"] = [what_is_known(version) for version in new_versions(place)]
    if name in ("night", *CHANGES_HISTORY):
        place.night(TONIGHT, run=but_for_finished_tables)
        facts["known"] = what_is_known(place.published)
    (place.folder / "whole.json").write_text(json.dumps(facts))


def new_versions(place: Place) -> list[Path]:
    """What was published since yesterday, which is load 2."""
    from rapport.warehouse.places.versions import kept_versions, load_of  # noqa: PLC0415

    return [version for version in kept_versions(place.published) if load_of(version) > 2]


def run(place: Place, name: str, seen: Callable[[int], object] | None = None) -> None:
    """A whole command in this process; test_killed.py kills the command of a night itself too."""
    with ExitStack() as around:
        around.enter_context(redirect_stdout(StringIO()))
        if seen:
            around.enter_context(watching(seen))
        if name == "night":
            place.night(TONIGHT, run=running)
        elif status := COMMANDS[name](place):
            raise SystemExit(f"{name} exited with {status}")


def kill(yesterday: Place, folder: Path, name: str, moment: str, chance: random.Random, whole: dict) -> Place:
    """A command that did not live to its end."""
    victim = yesterday.copied_to(folder)
    at = chance.randint(1, whole["calls"].get(moment) or 1)
    delay = chance.uniform(0, whole["length"]) if moment == "any" or not whole["calls"].get(moment, 1) else None
    after = chance.random() < 0.5
    child = fork(lambda: die(victim, name, moment if delay is None else "any", at, after))
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL:
        return victim
    shutil.rmtree(folder)  # it was faster than the first one, or made fewer calls
    return kill(yesterday, folder, name, moment, chance, whole | {"length": (delay or whole["length"]) / 2})


def die(place: Place, name: str, moment: str, at: int, after: bool) -> None:
    """Run a command that kills itself: in a step, within a call, before or after a file's move."""
    seen = None
    if moment in STEPS:
        watch_step(moment, lambda count: count == at and end())
    elif moment == "call":
        seen = lambda count: count == at and end()  # noqa: E731
    elif moment == "move":
        watch_moves(lambda moved, count: count == at and end(), after=after)
    elif moment != "any":
        way, link = moment.split(" ")
        watch_moves(lambda moved, count: moved == link and end(), after=way == "after")
    run(place, name, seen)


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


WATCHED: dict[str, Callable[[int], object]] = {}


def watch_step(step: str, seen: Callable[[int], object]) -> None:
    """Tell of every call inside a step."""
    WATCHED[step] = seen


def running(name: str, work: Callable):
    """Runs a step of a night, and tells of its calls where it is watched."""
    with watching(WATCHED[name]) if name in WATCHED else nullcontext():
        return work()


def watch_moves(seen: Callable[[str, int], object], *, after: bool = False) -> None:
    """Tell of every file that is moved, by its name, before or after it is."""
    moved = []

    def watched(move: Callable) -> Callable:
        def moving(self: Path, target: Path) -> Path:
            moved.append(self.name)
            if not after:
                seen(self.name, len(moved))
            done = move(self, target)
            if after:
                seen(self.name, len(moved))
            return done

        return moving

    Path.replace, Path.rename = watched(Path.replace), watched(Path.rename)


def fork(run: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        run()
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def finished(child: int) -> None:
    if os.waitpid(child, 0)[1]:
        raise SystemExit("a command that nobody disturbed, or the look at what a disturbed one left, failed")


def look(yesterday: Place, killed: Place, name: str, moment: str, whole: dict) -> None:
    """What the killed command left, what the next one that writes makes of it, and the next night. One line of JSON."""
    before, left = yesterday.standing(), killed.standing()
    is_new = left[0] != before[0]
    told = {"moment": f"{name}: {moment}", "stands": left == before}
    told["is_new_and_whole"] = is_new and what_is_known(killed.published) in whole[name]["published"]
    is_begun = (killed.warehouse / "private/erasing.json").exists()
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # an erasure that is not finished is said
        assert worklist.main(arguments(killed)) == 0  # the next command that writes
    told["loads"] = loads_told(killed)
    told["silent_pages"] = pages_that_do_not_tell(killed)
    told["leftovers"] = [str(path) for path in killed.leftovers()] + left_of_copies(killed)
    told["next"] = (
        killed.night(TONIGHT, run=but_for_finished_tables).publication.published.version == killed.published.resolve()
    )
    as_after = name if (is_new or is_begun) and name in CHANGES_HISTORY else "night"
    told["is_known"] = what_is_known(killed.published) == whole[as_after]["known"]
    told["kept"] = clients_kept(killed) if as_after == "forget" else []
    told["leftovers"] += [str(path) for path in killed.leftovers()]
    os.write(1, (json.dumps(told) + "\n").encode())


def left_of_copies(killed: Place) -> list[str]:
    """Copies that a killed command left under their own name although they are not whole; else the next makes them."""
    with redirect_stdout(StringIO()):
        for name, made in (("backup", copied_to(killed)), ("as_known_on", then(killed))):
            if (made.parent / f".{made.name}.part").exists():
                assert not made.exists() and COMMANDS[name](killed) == 0
    wrong = [str(path) for path in killed.folder.glob(".*.part")]
    copy = Place(copied_to(killed))
    return wrong + ([str(copy.folder)] if copy.folder.exists() and not (copy.folder / "shared").exists() else [])


if __name__ == "__main__":
    main(Place(Path(sys.argv[1])), Path(sys.argv[2]), *map(int, sys.argv[3:]))
