"""The long soaks, seeded, with their figures as a table: python -m tests.breaking.soak [--seed N] [--share 1.0].

1,000 publications under four readers, 200 nights killed, 168 commands killed (four rounds of every command), 50 nights
into a full disk, 240 interruptions of what takes people out, an erasure after a month of nights, 300 histories of
random nights against the model, 500 damaged files of each format, 500 each of clinic files, instruments, links and
requests, 2,000 commands over a damaged warehouse. `make test` runs 30 publications and full disks, part of a round of
kills, and a few of the others.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.clinics.few_tables import few_tables, published_place
from tests.clinics.nights import ROOT, Place

FEW = "keep_hours = 0.02\n"  # versions a minute old may go: a thousand of them would fill the disk
ENDS_WITHIN = 6 * 3600  # seconds


def killed_commands(
    place: Place, work: Path, count: int, seed: int, processes: int = 1, *, is_short: bool = False
) -> list[dict]:
    """What each killed command left, and what the next night made of it; each process has its share of the kills. Of
    all tables only nights are killed; `is_short`: every command, of few tables."""
    shares = [(count, share, processes, seed, int(is_short)) for share in range(processes)]
    return _told("breaking.killing", place, work, shares)


def nights_into_a_full_disk(place: Place, work: Path, count: int, seed: int, *, is_short: bool = False) -> list[dict]:
    """What each night left that had no room to write."""
    return _told("clinics.filling", place, work, [(count, seed, int(is_short))])


def _told(script: str, place: Place | None, work: Path, shares: list[tuple[int, ...]]) -> list[dict]:
    """The lines of JSON that a script tells, in several processes at once. Anything said beside them is an error."""
    running = []
    for number, share in enumerate(shares):
        own = work / f"share{number}"
        own.mkdir(parents=True)
        folders = [str(place.folder)] if place else []
        command = [sys.executable, "-m", f"tests.{script}", *folders, str(own), *map(str, share)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=ROOT, **pipes))
    try:
        told = [process.communicate(timeout=ENDS_WITHIN) for process in running]
    finally:
        for process in running:
            process.kill()
    wrong = [
        f"{script} ended with {process.returncode}: {complaint}"
        for (_, complaint), process in zip(told, running, strict=True)
        if complaint or process.returncode
    ]
    if wrong:
        raise AssertionError("\n".join(wrong))
    return [json.loads(line) for said, _ in told for line in said.splitlines()]


def broken_promises(nights: list[dict]) -> list[dict]:
    """Nights, and commands, after which neither yesterday stood nor all of tonight, or readers found several loads, or
    something was left, or pages or kept versions hid something, or the next one failed or knew something else."""
    return [
        night
        for night in nights
        if not (night["stands"] or night["is_new_and_whole"])
        or night["leftovers"]
        or night.get("differs")
        or not night.get("next", True)
        or not night.get("is_known", True)
        or len(set(night.get("loads", ()))) > 1
        or night.get("silent_pages")
        or len(set(night.get("kept", ()))) > 1
    ]


def publications(work: Path, count: int, seed: int) -> tuple[str, list]:
    from tests.clinics.publications import publish_under_readers  # noqa: PLC0415

    place = published_place(work / "clinic")
    place.clinic.write_text(FEW + place.clinic.read_text())
    seen = publish_under_readers(place, count)
    said = f"{seen.nights} of them nights; opened {seen.opened:,} times, {seen.versions:,} versions seen"
    return said, seen.wrong


def kills(work: Path, count: int, seed: int, *, is_short: bool = False) -> tuple[str, list]:
    place = _with_next_day(work / "clinic", is_short=is_short)
    told = killed_commands(place, work, count, seed, processes=2, is_short=is_short)
    new = sum(not each["stands"] for each in told)
    return f"{len(told) - new} left what stood, {new} all of the new; the next night succeeded", broken_promises(told)


def full_disks(work: Path, count: int, seed: int) -> tuple[str, list]:
    place = _with_next_day(work / "clinic")
    told = nights_into_a_full_disk(place, work, count, seed)
    new = sum(not each["stands"] for each in told)
    return f"{len(told) - new} refused, yesterday stood; {new} had just room enough", broken_promises(told)


def interrupted_erasures(work: Path, count: int, seed: int) -> tuple[str, list]:
    told = _told("breaking.interrupting", None, work, [(count, share, 2, seed) for share in range(2)])
    begun = sum(each["is_begun"] for each in told)
    wrong = [each for each in told if each["found"] or each["open"] or each["leftovers"]]
    return f"{begun} had begun; after the next night nobody was found", wrong + [None] * (count - len(told))


def months_of_nights(work: Path, count: int, seed: int) -> tuple[str, list]:
    from tests.clinics.months import erased_after  # noqa: PLC0415

    wrong = erased_after(work / "clinic", count)
    return "then an erasure, a restoration, and nights whose exports still hold the person", wrong


def histories(work: Path, count: int, seed: int) -> tuple[str, list]:
    from tests.warehouse.history.test_history_model import random_histories  # noqa: PLC0415

    nights = random_histories(count, seed)
    return f"{nights:,} nights, each compared with the model", [] if nights else ["no night was run"]


def damages(work: Path, count: int, seed: int) -> tuple[str, list]:
    from tests.breaking.damage import FORMATS  # noqa: PLC0415
    from tests.transforms.sources.test_fuzz import damage_files  # noqa: PLC0415

    refused = sum(damage_files(name, count, seed) for name in FORMATS)
    return f"{len(FORMATS)} formats, of each so many; {refused:,} of them refused", []


def spoilt_facts(work: Path, count: int, seed: int) -> tuple[str, list]:
    from tests.warehouse.clinic_file.test_fuzz_facts import FILES, clinic_file_and_night, spoil, spoil_requests  # noqa: PLC0415

    with few_tables():
        place = published_place(work / "clinic")
    taken = {name: how for name, (_, how, _) in FILES.items()} | {"clinic.toml": clinic_file_and_night}
    refused = {name: spoil(FILES[name][0], how, count, seed) for name, how in taken.items()}
    refused["requests of erasure"] = spoil_requests(place, count, seed)
    told = ", ".join(f"{each:,} of {name}" for name, each in refused.items())
    return f"refused {told}; a night with every clinic file that was taken", []


def _with_next_day(folder: Path, *, is_short: bool = False) -> Place:
    with few_tables() if is_short else nullcontext():
        place = published_place(folder)
    place.deliver_day(18)
    return place


def damaged_warehouses(work: Path, count: int, seed: int) -> tuple[str, list]:
    """Commands over a warehouse with a damaged file, each in a process of its own, which DuckDB may end."""
    from tests.breaking.spoiling import begin, short_commands  # noqa: PLC0415

    with short_commands():
        place = begin(work / "clinic")
    shares = [(count, share, 2, seed) for share in range(2)]
    told = _told("breaking.spoiling", place, work, shares)
    run = sum(each["cases"] for each in told if "cases" in each)
    said = f"{run:,} named the file and the way out, or did their work"
    return said, [each for each in told if "wrong" in each]


SOAKS = {
    "publications under four readers": (publications, 1000),
    "nights killed": (kills, 200),
    "commands killed": (partial(kills, is_short=True), 168),
    "nights into a full disk": (full_disks, 50),
    "erasures interrupted": (interrupted_erasures, 240),
    "nights before an erasure": (months_of_nights, 30),
    "histories of random nights": (histories, 300),
    "damaged files of each format": (damages, 500),
    "spoilt files written by hand": (spoilt_facts, 500),
    "commands over a damaged warehouse": (damaged_warehouses, 2000),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of each")
    asked = parser.parse_args()
    print(f"seed {asked.seed}: repeat it with make soak SEED={asked.seed}", flush=True)
    failed = 0
    for name, (soak, full) in SOAKS.items():
        count = max(1, round(full * asked.share))
        with tempfile.TemporaryDirectory(prefix="rapport-soak-") as work:
            failed += _run(name, soak, Path(work), count, asked.seed)
    return 1 if failed else 0


def _run(name: str, soak: Callable, work: Path, count: int, seed: int) -> bool:
    began, cpu = time.monotonic(), _cpu()
    try:
        said, wrong = soak(work, count, seed)
    except AssertionError as error:
        said, wrong = "", [error]
    outcome = "FAILED" if wrong else "nothing lost, doubled or unreadable"
    took = f"{time.monotonic() - began:,.0f} s, {_cpu() - cpu:,.0f} s of processor"
    print(f"{count:>6,}  {name:<33}{outcome}; {said} ({took})", flush=True)
    for each in wrong:
        print(f"        {each}", flush=True)
    return bool(wrong)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    sys.exit(main())
