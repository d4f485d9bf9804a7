"""Nights into a full disk: python filling.py PLACE WORK COUNT SEED SHORT.

Each night is a forked process whose files may not grow beyond a seeded size (RLIMIT_FSIZE): a real refusal of the
operating system, at whatever write it falls. After every tenth there is room again.
"""

import json
import os
import random
import resource
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from tests.breaking.killing import YESTERDAY as TONIGHT
from tests.breaking.killing import finished, fork
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, differences

SIZE_OF_NEXT = 1.1  # of yesterday's file: more than tonight's needs
ROOM_AGAIN = 10


def main(place: Place, work: Path, count: int, seed: int, is_short: int) -> None:
    """`is_short`: nights compute few tables; what a full disk can hurt is the same."""
    with few_tables() if is_short else nullcontext():
        fill_disks(place, work, count, seed)


def fill_disks(place: Place, work: Path, count: int, seed: int) -> None:
    whole = place.copied_to(work / "whole")
    finished(fork(lambda: whole.night(TONIGHT)))
    size = place.published.stat().st_size
    victim = place.copied_to(work / "0")
    for number in range(count):
        chance = random.Random(seed * 1000 + number)
        limit = int(chance.choice((chance.uniform(0, size / 20), chance.uniform(size / 2, size * SIZE_OF_NEXT))))
        has_room = number % ROOM_AGAIN == ROOM_AGAIN - 1
        before = victim.published.readlink()
        finished(fork(partial(run_limited, victim, limit)))
        finished(fork(partial(look, place, victim, whole, has_room)))
        if has_room or victim.published.readlink() != before:
            victim = place.copied_to(work / str(number + 1))


def run_limited(place: Place, limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        place.night(TONIGHT)
        said = "published"
    except Exception as error:
        said = str(error)
    told = place.folder / "said"
    told.unlink(missing_ok=True)
    told.symlink_to(said)  # a link needs no room


def look(place: Place, victim: Place, whole: Place, has_room: bool) -> None:
    """What the night left, and, where there is room again, whether the next one succeeds. One line of JSON."""
    said = str((victim.folder / "said").readlink())
    left = victim.standing()
    is_new = left[0] != place.standing()[0]
    told = {"said": said, "stands": left == place.standing()}
    told["is_new_and_whole"] = is_new and differences(whole.published, victim.published, ("main",)) == {}
    told["leftovers"] = [str(path) for path in victim.leftovers()]
    if has_room:
        victim.night(TONIGHT, run=but_for_finished_tables)
        # A refused night has used up its number, which stands in history: the tables do not say it.
        told["differs"] = differences(whole.published, victim.published, ("main",))
    os.write(1, (json.dumps(told) + "\n").encode())


if __name__ == "__main__":
    main(Place(Path(sys.argv[1])), Path(sys.argv[2]), *map(int, sys.argv[3:]))
