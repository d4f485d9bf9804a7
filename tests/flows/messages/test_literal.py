"""Names are shown as they stand: on the terminal, in the line that tells how far a night is, on Prefect's pages."""

import html
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rapport.flows.intake.not_read import NotRead
from rapport.flows.messages.literal import in_markdown
from rapport.flows.messages.match_tables import OF_PEOPLE, OF_RESPONSES, MatchRow
from rapport.flows.messages.report import Progress, Report, print_report
from rapport.flows.ops import inbox, verify
from rapport.flows.prefect_tasks.artifacts import books
from rapport.flows.troubles import Troubles
from rapport.flows.workbench import StepTime
from rapport.warehouse.intake.quarantine import Held
from rapport.warehouse.published.night_in_numbers import FileSums

STRANGE = ("[/red]", "[bold]x", "a [lists] b", ":smile:", 'it\'s; "x" -- {}', "東京", "\\[red]")
NIGHT = Report(
    clinic="praxis",
    load_id=1,
    as_of=datetime(2026, 11, 21, 3, tzinfo=UTC),
    is_check=False,
    published=None,
    files=[],
    quarantine=[],
    unlisted=[],
    suites={},
    tables={"sessions": 1},
    steps=[StepTime("begin", 0.1, 0.1, 1)],
    waiting=[],
    not_read=NotRead(),
    late_sources=[],
    troubles=Troubles(),
    vanished=[],
    again=[],
    read_otherwise={},
    expired=[],
    client_count=1,
    matches=[],
)


@pytest.mark.parametrize("name", STRANGE)
def test_the_report_says_every_name_as_it_stands(name, capsys):
    night = replace(
        NIGHT,
        files=[FileSums(name, 1, (1, 1, 0, 0, 0, 0, 0, 0))],
        quarantine=[(name, "responses", 1)],
        unlisted=[(name, "site", 2)],
        suites={name: Counter(passed=1)},
        waiting=[f"{name}.csv"],
        late_sources=[name],
        troubles=Troubles([name], f"the pages could not be drawn {name}", warnings=[f"a trouble with {name}"]),
        vanished=[(name, 3)],
        not_read=NotRead(later=(name,), without_file=(name,)),
        matches=[MatchRow(name, "space", {**dict.fromkeys(OF_PEOPLE), **dict.fromkeys(OF_RESPONSES, 1)})],
    )
    print_report(night)
    said = " ".join(capsys.readouterr().out.split())
    assert said.count(name) == 15  # the failed question stands twice in its line
    assert f"2 texts in site of {name} are not in clinic.toml's [lists]; they became 'other'." in said
    inbox.print_rows([Held(1, 1, name, "responses", 2, 1, name, name)], "waiting")
    verify.print_verdict(verify.Verdict(1, [(name, 1, 0, 0)], [name], []))
    assert capsys.readouterr().out.count(name) == 5


def test_a_name_moves_no_cursor_and_breaks_no_line(capsys):
    print_report(replace(NIGHT, waiting=["a\x1b[31mb\nc.csv"]))
    assert "a\\x1b[31mb\\nc.csv is still being written" in capsys.readouterr().out


def test_a_long_name_takes_no_number_from_its_table(capsys):
    print_report(replace(NIGHT, files=[FileSums("x" * 300, 1, (1234567, 1, 0, 0, 0, 0, 0, 7654321))]))
    said = capsys.readouterr().out
    assert ("1,234,567" in said, "7,654,321" in said, said.count("x")) == (True, True, 300)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_how_far_a_night_is_may_name_anything(is_terminal, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TTY_COMPATIBLE", str(int(is_terminal)))
    with Progress() as progress:
        progress("reading file 1 ([/red]*.csv)")
        assert bool(progress._status) == is_terminal
    assert "reading file 1 ([/red]*.csv)" in capsys.readouterr().err


def shown(text: str) -> str:
    """What Markdown makes of a text, without its paragraph."""
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return html.unescape(made.removeprefix("<p>").removesuffix("</p>\n"))


@given(st.text("ab1 \\`*_{}[]()<>#+-.!|~&;:='\"/", min_size=1).map(str.strip).filter(bool))
def test_markdown_shows_a_name_as_it_stands(name):
    assert shown(in_markdown(name)) == name


@pytest.mark.parametrize("name", ["appointments", "phq_9", "St. Mary's (north)", "wave-2", "東京"])
def test_a_usual_name_needs_no_mark_of_markdown(name):
    assert in_markdown(name) == name == shown(name)


def test_a_source_is_named_in_prefect_s_books_as_it_stands():
    (row,) = books(replace(NIGHT, files=[FileSums("[click](https://x) *now*", 1, (1,) * 8)]))
    assert shown(row["source"]) == "[click](https://x) *now*"
