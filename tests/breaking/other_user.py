"""Commands as other users than root: python -m tests.breaking.other_user PLACE WORK. Each tells a line of JSON.

Everything is imported before, for the interpreter's own files may not be readable for another user; then each command
is a forked process that becomes that user.
"""

import encodings.ascii
import encodings.cp1252
import encodings.idna
import encodings.latin_1
import encodings.utf_8_sig
import encodings.utf_16  # noqa: F401
import getpass  # noqa: F401
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import rapport.expectations.gx_on_duckdb
import rapport.expectations.records
import rapport.expectations.suite_outcomes
import rapport.expectations.table_suites
import rapport.expectations.volumes
import rapport.flows.messages.tell  # noqa: F401
from rapport import transforms
from tests.breaking.spoiling import BEGIN_A_LOAD, COMMANDS, READ_THE_FILE, run_apart
from tests.clinics.nights import Place

transforms.import_statistics()
OWNER, ANALYST, STRANGER, SUPERUSER = 4100, 4300, 4400, 0
ANALYSTS, SUPERVISORS, OTHERS = 4200, 4201, 4999  # groups: the night's user is in the first two
GROUPS = {OWNER: [ANALYSTS, SUPERVISORS], ANALYST: [ANALYSTS], STRANGER: [], SUPERUSER: [0]}
WRITE = sorted(BEGIN_A_LOAD | {"worklist", "pages", "backup", "key", "restore", "verify", "as_known_on", "person"})
REFUSED_FIRST = ["nightly", "restore", "verify", "worklist", "person"]
ASK = ["query", "freshness"]
EVERY = sorted(BEGIN_A_LOAD | READ_THE_FILE | {"freshness", "worklist", "backup", "key", "restore", "telling"})
READ_EXPORTS = ["nightly", "backfill", "forget", "erasure_requests", "quarantine show"]


@dataclass(frozen=True)
class Case:
    """Who runs which commands, after what was done to a warehouse of the night's user."""

    who: int
    commands: list[str]
    done: Callable[[Place], object] = lambda place: None
    home: str = "home"  # of Prefect


def _taken(*names: str, mode: int | None = None) -> Callable[[Place], None]:
    """Files or folders belong to root, as after one night as root."""

    def take(place: Place) -> None:
        for name in names:
            for path in place.folder.glob(name):
                os.chown(path, 0, 0, follow_symlinks=False)
                if mode is not None:
                    path.chmod(mode)

    return take


def _given(name: str, group: int, mode: int) -> Callable[[Place], None]:
    """A folder has another group."""

    def give(place: Place) -> None:
        os.chown(place.folder / name, OWNER, group)
        (place.folder / name).chmod(mode)

    return give


def _behind(place: Place) -> None:
    """As after a load whose safe link could not be moved."""
    link = place.warehouse / "shared/rapport_safe.duckdb"
    older = min(link.parent.glob("versions/*/rapport_safe.duckdb"))
    link.unlink()
    link.symlink_to(older.relative_to(link.parent))
    link.parent.chmod(0o555)


PRIVATE, CLINIC_PAGES = "warehouse/private", "warehouse/shared/pages/clinic"
CASES: dict[str, Case] = {
    "as root": Case(SUPERUSER, [*WRITE, *ASK]),
    "as an analyst": Case(ANALYST, [*REFUSED_FIRST, *ASK, "telling"]),
    "as a stranger": Case(STRANGER, [*REFUSED_FIRST, *ASK]),
    "the exports folder may not be entered": Case(OWNER, READ_EXPORTS, _taken("exports", mode=0o700)),
    "the exports folder may not be listed": Case(OWNER, READ_EXPORTS, _taken("exports", mode=0o711)),
    "one export may not be read": Case(
        OWNER, ["nightly", "backfill"], _taken("exports/responses_2026-11-20.csv", mode=0o600)
    ),
    "the clinic file may not be read": Case(
        OWNER, ["nightly", "pages", "verify", "telling", "freshness"], _taken("clinic.toml", mode=0o600)
    ),
    "analysts may not be entered": Case(OWNER, EVERY, _taken("warehouse/analysts", mode=0o700)),
    "private is root's": Case(OWNER, REFUSED_FIRST, _taken(PRIVATE)),
    "private may not be entered by its own user": Case(
        OWNER, [*WRITE, *ASK], lambda place: (place.folder / PRIVATE).chmod(0)
    ),
    "a version is root's": Case(
        OWNER, ["nightly", "query", "verify", "backup"], _taken("warehouse/analysts/versions/*3/*", mode=0o400)
    ),
    "a crosswalk is root's": Case(
        OWNER, ["nightly", "worklist", "backup"], _taken(f"{PRIVATE}/versions/*3/*", mode=0o600)
    ),
    "the pages are root's": Case(OWNER, ["pages"], _taken("warehouse/shared/pages/*")),
    **{
        f"private/{name} is root's": Case(OWNER, ["nightly"], _taken(f"{PRIVATE}/{name}", mode=0o600))
        for name in ("key", "tombstones", "attempts.jsonl", "night.lock")
    },
    "private/building is root's": Case(OWNER, ["nightly", "verify"], _taken(f"{PRIVATE}/building")),
    "private/forget.csv is root's": Case(OWNER, ["erasure_requests"], _taken(f"{PRIVATE}/forget.csv", mode=0o600)),
    "Prefect's home is root's": Case(OWNER, ["nightly"], home="root"),
    "Prefect's home may not be made": Case(OWNER, ["nightly"], home="root/not/there"),
    "analysts has a group of the night's user": Case(
        OWNER, ["nightly"], _given("warehouse/analysts", SUPERVISORS, 0o750)
    ),
    "analysts has a group that the night's user lacks": Case(
        OWNER, ["nightly"], _given("warehouse/analysts", OTHERS, 0o750)
    ),
    "shared has a group that the night's user lacks": Case(
        OWNER, ["nightly"], _given("warehouse/shared", OTHERS, 0o2755)
    ),
    "shared may not be written by its own user": Case(
        OWNER, ["nightly", "restore --version 2"], lambda place: (place.warehouse / "shared").chmod(0o555)
    ),
    "shared/versions is root's": Case(OWNER, ["nightly"], _taken("warehouse/shared/versions")),
    "shared may not be written, and its link is behind": Case(OWNER, ["nightly", "worklist"], _behind),
    "the clinic's page has a group of the night's user": Case(
        OWNER, ["pages"], _given(CLINIC_PAGES, SUPERVISORS, 0o750)
    ),
    "the clinic's page has it, and the folder gives its group": Case(
        OWNER, ["pages"], _given(CLINIC_PAGES, SUPERVISORS, 0o2750)
    ),
    "the clinic's page has a group that the night's user lacks": Case(
        OWNER, ["pages", "nightly"], _given(CLINIC_PAGES, OTHERS, 0o750)
    ),
    "the clinic's page has such a group, and the folder gives its group": Case(
        OWNER, ["pages"], _given(CLINIC_PAGES, OTHERS, 0o2750)
    ),
}


def made(place: Place, folder: Path, case: Case) -> Place:
    """A copy of a place that belongs to the night's user, in the state of a case."""
    copied = place.copied_to(folder)
    for path in (copied.folder, *copied.folder.rglob("*")):
        os.chown(path, OWNER, OWNER, follow_symlinks=False)
    for path in (copied.warehouse / "analysts", *(copied.warehouse / "analysts").rglob("*")):
        os.chown(path, OWNER, ANALYSTS, follow_symlinks=False)
    (copied.folder / "root").mkdir(mode=0o755)
    (copied.folder / "home").mkdir()
    os.chown(copied.folder / "home", case.who, case.who)
    case.done(copied)
    return copied


def become(case: Case, place: Place) -> None:
    os.environ["PREFECT_HOME"] = str(place.folder / case.home)
    os.environ["HOME"] = str(place.folder / "home")
    os.setgroups(GROUPS[case.who])
    os.setgid(case.who)
    os.setuid(case.who)


def main(place: Place, work: Path) -> None:
    """Run every command of every case, each in a folder of its own."""
    for number, (name, case) in enumerate(CASES.items()):
        for each in case.commands:
            copied = made(place, work / str(number), case)
            command = COMMANDS[each]

            def run_as(words: list[str], command=command, case=case, copied=copied) -> int:
                become(case, copied)
                return command.main(words)

            ended = run_apart(replace(command, main=run_as), copied)
            groups = {path.name: path.lstat().st_gid for path in (copied.folder / CLINIC_PAGES).glob("*")}
            groups |= {"rapport.duckdb": copied.published.stat().st_gid}
            os.write(1, (json.dumps({"case": name, "command": each, "groups": groups, **vars(ended)}) + "\n").encode())
            shutil.rmtree(copied.folder)


if __name__ == "__main__":
    main(Place(Path(sys.argv[1])), Path(sys.argv[2]))
