"""Kill nights at seeded moments and look at what is left: python killing.py PLACE WORK COUNT SHARE OF SEED SHORT.

Everything is imported once; then each night is a forked process of its own: many kills do not cost many imports. This
process itself never uses polars or DuckDB: their threads would not survive the fork.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from few_tables import few_tables
from nights import Place, but_for_finished_tables, differences
from watching import watching

import expectations.checking
import expectations.finished
import expectations.records  # noqa: F401
import flows.night
import flows.order  # noqa: F401
import transforms
from flows.steps import STEPS

transforms.import_statistics()

ROUND = 30  # kills, after which the same kinds of moments come again
TONIGHT = "2026-11-19T12:00"
LINKS = (".rapport.duckdb.new", ".crosswalk.parquet.new")


def main(place: Place, work: Path, count: int, share: int, of: int, seed: int, is_short: int) -> None:
    """`is_short`: nights compute few tables; what a kill can hurt is the same."""
    with few_tables() if is_short else nullcontext():
        kill_nights(place, work, range(share, count, of), seed)


def kill_nights(place: Place, work: Path, numbers: range, seed: int) -> None:
    whole = place.copied_to(work / "whole")
    began = time.monotonic()
    finished(fork(lambda: count_calls(whole)))
    length = time.monotonic() - began
    calls = json.loads((whole.folder / "calls.json").read_text())
    for number in numbers:
        chance = random.Random(seed * 1000 + number)
        moment, prepare = a_moment(number, chance, calls)
        delay = chance.uniform(0, length) if moment == "any" else None
        killed = kill(place, work / str(number), prepare, delay)
        finished(fork(lambda killed=killed, moment=moment: look(place, killed, whole, moment)))
        shutil.rmtree(killed.folder)


def a_moment(number: int, chance: random.Random, calls: dict[str, int]) -> tuple[str, Callable[[], object]]:
    """In turn twice inside each step, before and after each symlink's move; then at any moment."""
    number %= ROUND
    if number < 2 * len(STEPS):
        step = list(STEPS)[number % len(STEPS)]
        at = chance.randint(1, calls[step])
        return step, lambda: die_in_step(step, at)
    if number < 2 * len(STEPS) + 2 * len(LINKS):
        link, after = LINKS[number % 2], number % 4 > 1
        return f"{'after' if after else 'before'} the move of {link}", lambda: die_at_move(link, after)
    return "any", lambda: None


def kill(place: Place, folder: Path, prepare: Callable[[], object], delay: float | None) -> Place:
    """A night that did not live to its end."""
    victim = place.copied_to(folder)
    child = fork(lambda: (prepare(), run_night(victim)))
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL:
        return victim
    if delay is None:
        raise SystemExit("a night outlived its kill")
    shutil.rmtree(folder)  # it was faster than the first one
    return kill(place, folder, prepare, delay / 2)


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
        raise SystemExit("a night that nobody disturbed, or the look at what a disturbed one left, failed")


def run_night(place: Place) -> None:
    """A whole night as plain functions; test_killed.py kills the command itself too."""
    from flows.night import plainly  # noqa: PLC0415

    place.night(TONIGHT, run=plainly)


def count_calls(place: Place) -> None:
    """A whole night, counting in each step the calls that a kill can fall on."""
    calls = {}
    for name in STEPS:
        watch(name, lambda count, name=name: calls.update({name: count}))
    run_night(place)
    (place.folder / "calls.json").write_text(json.dumps(calls))


def die_in_step(step: str, at: int) -> None:
    watch(step, lambda count: count == at and die())


def watch(step: str, seen: Callable[[int], object]) -> None:
    """Tell of every call inside a step."""
    run = STEPS[step]

    def watched(tonight: object) -> None:
        with watching(seen):
            run(tonight)

    STEPS[step] = watched


def die_at_move(link: str, after: bool) -> None:
    move = Path.replace

    def deadly(self: Path, target: Path) -> Path:
        is_it = self.name == link
        if is_it and not after:
            die()
        moved = move(self, target)
        if is_it:
            die()
        return moved

    Path.replace = deadly


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def look(place: Place, killed: Place, whole: Place, moment: str) -> None:
    """What the killed night left, and whether the next one succeeds without help. One line of JSON."""
    before, left = place.standing(), killed.standing()
    is_new = left[0] != before[0]
    told = {"moment": moment, "stands": left == before}
    told["is_new_and_whole"] = is_new and differences(whole.published, killed.published) == {}
    tonight = killed.night(TONIGHT, run=but_for_finished_tables)
    told["next"] = tonight.published == killed.published.resolve()
    told["differs"] = differences(whole.published, killed.published)
    told["leftovers"] = [str(path) for path in killed.leftovers()]
    os.write(1, (json.dumps(told) + "\n").encode())


if __name__ == "__main__":
    main(Place(Path(sys.argv[1])), Path(sys.argv[2]), *map(int, sys.argv[3:]))
