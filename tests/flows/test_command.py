"""The command `rapport` and its table; and the names of before 0.2, which end with 0.4."""

import importlib
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from rapport.flows.command import COMMANDS, MODULES, main
from rapport.flows.old_names import COMMANDS_BEFORE, FLOWS_BEFORE
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import ROOT

DOCUMENTS = ("README.md", "RUNBOOK.md", "PRIVACY.md")


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, words, prog_name="rapport")
    return done.exit_code, done.output


def test_the_help_names_every_command_in_its_group():
    status, told = said("--help")
    assert status == 0
    for group, commands in COMMANDS.items():
        section = re.search(rf"^{group}:\n((?:  .*\n)+)", told, re.MULTILINE)[1]
        assert re.findall(r"^  (\S+)", section, re.MULTILINE) == [*commands]


def test_a_command_that_cannot_use_a_file_says_so_in_one_sentence(monkeypatch):
    def main_of_the_page(words: list[str]) -> int:
        raise Unusable("instrument file closeness.toml: [items] has the unknown key 'min'")

    monkeypatch.setattr("rapport.flows.reference.instruments_page.main", main_of_the_page)
    told = "instrument file closeness.toml: [items] has the unknown key 'min'\n"
    assert said("instruments-page") == (Unusable.status, told)


@pytest.mark.parametrize("command", MODULES)
def test_the_help_of_a_command_calls_it_by_its_name(command):
    status, told = said(command, "--help")
    assert (status, told.split()[:3]) == (0, ["usage:", "rapport", command])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nigt"], "there is no command 'nigt'; did you mean 'night'?"),
        (["quarantine"], "No such command 'quarantine'."),
        (["night", "--as-if"], "rapport night: error: the following arguments are required"),
    ],
)
def test_misuse_is_status_2_and_one_sentence(words, sentence):
    status, told = said(*words)
    assert (status, sentence in told) == (2, True), told


def test_the_help_imports_no_command_s_work():
    heavy = ("prefect", "polars", "duckdb", "great_expectations", "rich")
    done = run("-X", "importtime", "-m", "rapport", "--help")
    assert done.stdout.startswith("Usage: rapport")
    assert [name for name in heavy if re.search(rf"\| +{name}$", done.stderr, re.MULTILINE)] == []


def test_every_command_that_a_page_names_exists():
    for page in DOCUMENTS:
        text = (ROOT / page).read_text(encoding="utf-8")
        named = re.findall(r"(?:^ *(?:[0-9]. )?\$ .*?|`)rapport ([a-z][a-z-]+)", text, re.MULTILINE)
        assert [name for name in named if name not in MODULES] == []


@pytest.mark.parametrize("old", COMMANDS_BEFORE)
def test_an_old_name_runs_its_command_after_one_line_of_notice(old):
    done = run("-m", old, "--help")
    command = COMMANDS_BEFORE[old]
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["usage:", "rapport", command])
    assert done.stderr == f"python -m {old} is now: rapport {command}. The old form ends with 0.4.\n"


def test_the_draft_s_old_name_runs_it_too():
    done = run("-m", "transforms.sources", "--help")
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["usage:", "rapport", "draft"])
    assert done.stderr == "python -m transforms.sources is now: rapport draft. The old form ends with 0.4.\n"


@pytest.mark.parametrize(
    ("flow", "stands_for"),
    {"flows.nightly:nightly": MODULES["night"], "flows.chores:compact": FLOWS_BEFORE["flows.chores"]}.items(),
)
def test_a_prefect_server_s_old_registrations_find_the_flow(flow, stands_for):
    module, _, name = flow.partition(":")
    asked = f"import importlib; print(importlib.import_module({module!r}).{name}.fn.__module__)"
    assert run("-c", asked).stdout.strip() == stands_for
    assert hasattr(importlib.import_module(stands_for), name)
