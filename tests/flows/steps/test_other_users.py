"""Commands of other users: a sentence that names the folder, never a traceback; and groups as README gives them."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.breaking.spoiling import COMMANDS, run
from tests.clinics.nights import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")

PRIVATE, ANALYSTS = r"/private belongs to user 4100 and not to user \w+; run this as user 4100", "/analysts may not be"
EXPORTS = "the exports folder .*/exports may not be read by this user; give this user the right to read it"
A_FILE = "a file in .*{} belongs to another user; give it to the user who runs this"
NO_GROUP = "the user who runs this is not in group 4999 of .*{}; add the user to that group, or give the"
NOT_COPIED = r"no backup was made: .*000003/.* could not be copied \(.*Permission denied\); mend that"
HOME = r"cannot be written \(.*\); give it to this user, or set another"
REFUSED = {  # the case -> the sentence that all of its commands end with, but for those that are named
    "as root": (PRIVATE, {"query": None, "freshness": None}),
    "as an analyst": (PRIVATE, {"query": None, "freshness": None, "telling": None}),
    "as a stranger": (PRIVATE, {"query": ANALYSTS, "freshness": f"not known: .*{ANALYSTS}"}),
    "the exports folder may not be entered": (EXPORTS, {}),
    "the exports folder may not be listed": (EXPORTS, {}),
    "one export may not be read": (
        r"responses_2026-11-20\.csv cannot be read \(Permission denied\); let the night's user read it",
        {},
    ),
    "the clinic file may not be read": (r"clinic file clinic\.toml cannot be read \(Permission denied\)", {}),
    "analysts may not be entered": (
        ANALYSTS,
        {"telling": None, "freshness": f"not known: .*{ANALYSTS}"},
    ),
    "private is root's": ("/private belongs to user root and not to user 4100; run this as user root", {}),
    "private may not be entered by its own user": (
        "/private may not be read or written by this user",
        {"query": None, "freshness": None, "restore": None},
    ),
    "a version is root's": (
        rf"rapport\.duckdb may not be read by this user|{A_FILE.format('000003')}",
        {"backup": NOT_COPIED},
    ),
    "a crosswalk is root's": (A_FILE.format("000003"), {"backup": NOT_COPIED}),
    "the pages are root's": ("/shared/pages/clinic may not be read or written by this user", {}),
    **{f"private/{name} is root's": (A_FILE.format("/private"), {}) for name in ("key", "tombstones", "night.lock")},
    "private/attempts.jsonl is root's": (A_FILE.format("/private"), {}),
    "private/building is root's": ("/private/building may not be read or written by this user", {}),
    "private/forget.csv is root's": (A_FILE.format("/private"), {}),
    "Prefect's home is root's": (rf"PREFECT_HOME \(.*/root\) {HOME}", {}),
    "Prefect's home may not be made": (rf"PREFECT_HOME \(.*/root/not/there\) {HOME}", {}),
    "analysts has a group of the night's user": (None, {}),
    "analysts has a group that the night's user lacks": (NO_GROUP.format("/analysts"), {}),
    "shared has a group that the night's user lacks": (NO_GROUP.format("/shared"), {}),
    "shared may not be written by its own user": ("/shared may not be written by the user who runs this; give", {}),
    "shared/versions is root's": ("/shared/versions may not be written by the user who runs this; give", {}),
    "shared may not be written, and its link is behind": ("/shared may not be read or written by this user; run", {}),
    "the clinic's page has a group of the night's user": (None, {}),
    "the clinic's page has it, and the folder gives its group": (None, {}),
    "the clinic's page has a group that the night's user lacks": (NO_GROUP.format("/pages/clinic"), {"nightly": None}),
    "the clinic's page has such a group, and the folder gives its group": (None, {}),
}
GROUPS = {
    "analysts has a group of the night's user": ("rapport.duckdb", 4201),
    "the clinic's page has a group of the night's user": ("index.html", 4201),
    "the clinic's page has it, and the folder gives its group": ("index.html", 4201),
    "the clinic's page has such a group, and the folder gives its group": ("index.html", 4999),
}


@pytest.fixture(scope="module")
def ended(spoilable, tmp_path_factory) -> list[dict]:
    """How every command of every case ended; in a folder that another user may enter."""
    place = spoilable.copied_to(tmp_path_factory.mktemp("place") / "clinic")
    assert run(COMMANDS["pages"], place).status == 0
    with tempfile.TemporaryDirectory(prefix="rapport-") as work:
        Path(work).chmod(0o755)
        command = [sys.executable, "-m", "tests.breaking.other_user", str(place.folder), work]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_case_was_run(ended):
    assert {each["case"] for each in ended} == set(REFUSED)


@pytest.mark.parametrize("case", REFUSED)
def test_a_command_that_may_not_do_its_work_says_which_folder_or_whose_and_exits_as_documented(ended, case):
    sentence, others = REFUSED[case]
    wrong = []
    for each in (each for each in ended if each["case"] == case):
        lines = [line for line in each["err"].splitlines() if not line.startswith("…")]
        lines = lines if each["command"] != "freshness" else each["out"].splitlines()
        wanted = others.get(each["command"], sentence)
        if each["raised"] or "Traceback" in each["err"] + each["out"]:
            wrong.append((each["command"], each["raised"]))
        elif wanted is None:
            wrong += [] if each["status"] in (0, 4) else [(each["command"], each["status"], lines)]
        elif len(lines) != 1 or each["status"] not in (1, 2) or not re.search(wanted, lines[0]):
            wrong.append((each["command"], each["status"], lines))
    assert wrong == []


@pytest.mark.parametrize("case", GROUPS)
def test_what_is_published_has_the_group_that_its_folder_was_given(ended, case):
    name, group = GROUPS[case]
    assert {each["groups"][name] for each in ended if each["case"] == case} == {group}
