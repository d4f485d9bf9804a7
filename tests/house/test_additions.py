"""One of each thing that CONTRIBUTING.md says how to add, in the files that it names, in a copy: a night takes them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clinics.nights import ROOT
from tests.house.test_imports import FOLDERS

ADDED = {
    "a questionnaire": {
        "warehouse/instruments/closeness.toml": """
            title = "Closeness"
            construct = "alliance"
            respondents = ["client"]
            timing = "session_end"
            period = "this session"
            direction = "higher_better"
            citation = "A test of Rapport."
            status = "local"
            licence = "Nobody's."
            items = { count = 2, minimum = 0, maximum = 4, step = 1 }

            [scales.total]
            description = "Both items, 0-8."
            items = [1, 2]
            score = "sum"
            missing = "complete_only"
            """
    },
    "a preset of a known system": {
        "warehouse/presets/tallybook.toml": """
            title = "Tallybook"
            checked_against = "a test of Rapport"

            [source]
            format = "tallies"

            [source.status.words]
            "Here" = "attended"
            "Away" = "no_show"
            """
    },
    "an export format": {
        "warehouse/clinic_file/formats/tallies.toml": """
            title = "tallies of visits: one line for each"
            holds = ["appointments"]
            line_is_record = ["appointments"]
            takes = ["records", "encoding", "columns", "status"]

            [source]
            records = "appointments"

            [source.status]
            column = "Visit"
            """,
        "transforms/sources/tallies.py": '''
            """Tallies of visits: one line for each."""

            from __future__ import annotations

            from collections.abc import Iterator

            import polars as pl

            from rapport.transforms.sources import table
            from rapport.transforms.sources.canonical.tallies import Tallies
            from rapport.transforms.sources.opening.export import Export
            from rapport.warehouse.clinic_file.sources import Source

            COLUMNS = {"client_id": "Who", "starts_at": "When", "appointment_id": "Number"}


            def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
                """The visits."""
                yield from table.read_known(export, source, tallies, COLUMNS)
            ''',
    },
    "a table or metric": {
        "transforms/engagement/visit_counts.py": '''
            """How often clients came."""

            from __future__ import annotations

            import polars as pl

            from rapport.warehouse.schema.columns import Column
            from rapport.warehouse.schema.tables import table


            @table(
                columns=["client_id!", Column("visit_count", "integer", "Attended appointments.", required=True)],
                key="client_id",
            )
            def visit_counts(appointments: pl.LazyFrame) -> pl.LazyFrame:
                """One row per client who came."""
                came = appointments.filter(pl.col("status") == "attended")
                return came.group_by("client_id").agg(visit_count=pl.len().cast(pl.Int32))
            '''
    },
    "a check that columns cannot say": {
        "expectations/suites/visit_counts.py": '''
            """Table visit_counts: who is in it came."""

            from rapport.expectations.rules import never

            SUITE = [never("who is counted came", "visit_count = 0", "client_id")]
            '''
    },
    "a question of a page": {
        "dashboards/visits.sql": """
            /*
            title = "Visits"
            question = "How often do clients come?"
            answer = "'They come.'"
            group = "Engagement"
            order = 990
            audience = "analysts"
            alt = "A bar for each number of visits."
            note = "Attended appointments of each client."

            [chart]
            kind = "bars"
            x = "client_count"
            y = "visit_count"

            [columns]
            visit_count = "Attended appointments."
            client_count = "Clients with so many."
            */
            SELECT visit_count, count(*)::INTEGER AS client_count FROM visit_counts GROUP BY visit_count ORDER BY ALL
            """
    },
}
# Run in the copy: what was added does its work in a night, and what a page is drawn of is asked.
NIGHT = '''
import json, sys
from pathlib import Path
from tests.clinics.nights import open_place
CLINIC = """
time_zone = "America/Chicago"
[sources.visits]
preset = "tallybook"
files = "visits*.csv"
id_space = "visits"
[sources.closeness]
format = "wide"
files = "closeness*.csv"
id_space = "visits"
client_id = "Who"
completed_at = "When"
instrument = "closeness"
rater = "client"
items = ["1", "2"]
"""
place = open_place(Path(sys.argv[1]), CLINIC)
visits = ["1,C1,2026-11-02 10:00,Here", "2,C1,2026-11-09 10:00,Here", "3,C2,2026-11-09 11:00,Away"]
place.deliver("visits.csv", "Number,Who,When,Visit", visits)
place.deliver("closeness.csv", "Who,When,1,2", ["C1,2026-11-02 10:50,3,4"])
place.night("2026-11-10T03:00")
print(json.dumps({
    "a questionnaire": place.ask("SELECT score, pomp FROM scores WHERE instrument = 'closeness'"),
    "a preset of a known system": place.ask("SELECT status FROM appointments ORDER BY starts_at, status"),
    "an export format": place.ask("SELECT loaded_count FROM load.files WHERE source = 'visits'"),
    "a table or metric": place.ask("SELECT visit_count FROM visit_counts"),
    "a check that columns cannot say": place.ask(
        "SELECT outcome FROM load.expectation_results WHERE expectation = 'who is counted came'"),
    "a question of a page": place.ask("FROM dashboard.visits"),
}))
'''
WANTED = {
    "a questionnaire": [[7.0, 87.5]],
    "a preset of a known system": [["attended"], ["attended"], ["no_show"]],
    "an export format": [[3]],
    "a table or metric": [[2]],
    "a check that columns cannot say": [["passed"]],
    "a question of a page": [[2, 1]],
}


def plain(text: str) -> str:
    """A file as a person writes it: without the indentation that it has here."""
    return re.sub(r"^ {12}", "", text.removeprefix("\n"), flags=re.MULTILINE).rstrip() + "\n"


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> dict:
    """What a night in a copy with one more of each says of them."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in (*FOLDERS, "rapport", "tests"):
        left_out = shutil.ignore_patterns("__pycache__", "*.png")
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=left_out)
    for files in ADDED.values():
        for name, text in files.items():
            assert not (copy / name).exists()
            (copy / name).write_text(plain(text), encoding="utf-8")
    words = [sys.executable, "-c", NIGHT, str(copy / "place")]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(words, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("what", ADDED)
def test_what_is_added_in_the_files_that_the_page_names_works_in_the_next_night(night, what):
    assert night[what] == WANTED[what]


@pytest.mark.parametrize("what", ADDED)
def test_the_page_names_the_files_to_add(what):
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {what} \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    named = [re.sub(r"<\w+>", r"[\\w-]+", place) for place in re.findall(r"`([\w/<>.]+)`", row[1])]
    assert all(any(re.fullmatch(place, name) for place in named) for name in ADDED[what]), "say it in CONTRIBUTING.md"
    assert all((ROOT / place).exists() for place in re.findall(r"`(tests/[\w/.]+)`", row[2]))


def test_an_example_of_each_kind_is_written_as_the_house_writes():
    for name, text in ((name, text) for files in ADDED.values() for name, text in files.items()):
        assert not Path(ROOT / name).exists()
        assert max(map(len, plain(text).splitlines())) <= 120
