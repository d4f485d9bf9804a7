"""The pages of a night: every question has its place, what fails breaks its own, readers are told what they miss."""

import grp
import os
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from rapport.dashboards.findings import HIDDEN, NO_DATA, NO_NUMBER
from rapport.dashboards.pages import header, page, with_banner
from rapport.dashboards.questions import load_questions
from rapport.flows.messages.report import report_of
from rapport.flows.pages.answered_questions import AnsweredQuestion
from rapport.flows.terminal import TROUBLED
from rapport.flows.troubles import Troubles
from rapport.flows.workbench import run_directly
from rapport.warehouse.errors import RapportError, Unusable
from tests.clinics.nights import APPOINTMENTS, open_place

MOST_BYTES = 1_500_000
LITERAL = re.compile(r"'(?:[^']|'')*'")


def pages_of(place) -> Path:
    return place.warehouse / "shared/pages"


def internal_of(place) -> Path:
    return place.warehouse / "internal"


def read(place, audience: str) -> str:
    tree = internal_of(place) if audience == "operations" else pages_of(place)
    return (tree / audience / "index.html").read_text(encoding="utf-8")


def with_operations(place):
    """The place with a page of operations, for the group of whoever runs the tests."""
    text = place.clinic.read_text(encoding="utf-8")
    place.clinic.write_text(f'{text}\n[internal]\noperations = "{grp.getgrgid(os.getgid()).gr_name}"\n')
    return place


def places_of(html: str) -> dict[str, str]:
    """Each question's place on a page, by its name."""
    return dict(re.findall(r'<article class="question[^"]*" id="(\w+)">(.*?)</article>', html, re.DOTALL))


def answer_of(html: str) -> str:
    return unescape(re.search(r'<p class="(?:answer|empty|failed)">(.*?)</p>', html)[1])


def cells_of(html: str) -> list[str]:
    return [unescape(cell) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", html)]


SHARED = [each for each in load_questions().values() if each.audience == "shared"]
OPERATIONS = {each.name for each in load_questions().values() if each.audience == "operations"}
COUNTED = {"staying_past_four", "alliance_and_next_session", "early_responsiveness"}  # they count or add up rows


def numbers_in(text: str) -> set[float]:
    return {abs(float(number.replace(",", ""))) for number in re.findall(r"\d[\d,]*\.?\d*", text)}


def with_questions(monkeypatch, *more) -> None:
    """The questions, and some that are not well."""
    every = load_questions() | {each.name: each for each in more}
    monkeypatch.setattr("rapport.flows.steps.publish.load_questions", lambda: every)
    monkeypatch.setattr("rapport.flows.pages.draw.load_questions", lambda: every)


def test_every_question_has_its_place_with_its_note_its_table_and_what_it_means(drawn):
    place, tonight = drawn
    assert tonight.troubles == Troubles([], None, (), ())
    assert report_of(tonight).status == 0
    shown = {**places_of(read(place, "clinic")), **places_of(read(place, "operations"))}
    off = {each.name for each in SHARED if each.disclosure.therapists}
    on_no_page = {each.name for each in load_questions().values() if each.audience == "analysts"}
    assert shown.keys() == load_questions().keys() - off - on_no_page
    for name, html in shown.items():
        question = load_questions()[name]
        assert question.question in unescape(html)
        assert question.note in unescape(html)
        assert (pages_of(place) / f"dictionary/dashboard.{name}.html").exists()
        assert bool(re.search("<svg", html)) == (answer_of(html) not in (NO_DATA, HIDDEN, NO_NUMBER))
    assert sum("<svg" in html for html in shown.values()) >= 14


def test_an_answer_says_the_numbers_of_its_table_to_the_shown_digit(drawn):
    place, _ = drawn
    for name, html in places_of(read(place, "clinic")).items():
        answer, said = answer_of(html), numbers_in(" ".join(cells_of(html)))
        if "<svg" in html and name not in COUNTED:
            constant = numbers_in(" ".join(LITERAL.findall(load_questions()[name].answer)))
            assert numbers_in(answer) - constant <= said, (name, answer)


def test_operations_are_never_told_of_too_few_people(drawn):
    place, _ = drawn
    told = [answer_of(html) for html in places_of(read(place, "operations")).values()]
    assert len(told) == 6
    assert not [answer for answer in told if "people" in answer]


def test_a_picture_says_the_numbers_of_its_table(drawn):
    place, _ = drawn
    pages = {**places_of(read(place, "clinic")), **places_of(read(place, "operations"))}
    for name, html in pages.items():
        if load_questions()[name].chart["kind"] in ("bars", "heatmap"):
            said = {number for text in re.findall(r"<text[^>]*>([\d.,−]+%[^<]*)<", html) for number in numbers_in(text)}
            assert said <= numbers_in(" ".join(cells_of(html))), name


def test_a_site_s_page_tells_of_the_site_alone(drawn):
    place, _ = drawn
    clinic, south = read(place, "clinic"), read(place, "site-south")
    assert "../site-south/index.html" in clinic
    assert "<h1>South</h1>" in south
    assert "North" not in south
    assert set(places_of(south)) == {each.name for each in SHARED if "site" in each.filters}
    assert answer_of(places_of(south)["attendance_by_month"]) != answer_of(places_of(clinic)["attendance_by_month"])


def test_shared_pages_say_up_to_which_month_and_operations_up_to_which_export(drawn):
    place, _ = drawn
    assert "Data to 31 October 2026. Published" in read(place, "clinic")
    assert "Data to 20 November 2026. Published" in read(place, "operations")
    assert 'class="banner"' not in read(place, "clinic") + read(place, "operations")


def test_a_page_is_small_and_names_nothing_to_fetch_and_no_script(drawn):
    place, _ = drawn
    for path in [*pages_of(place).rglob("*.html"), *internal_of(place).rglob("*.html")]:
        html = path.read_text(encoding="utf-8")
        assert len(html.encode()) < MOST_BYTES
        assert not re.search(r"<script|@import|@font-face|src=|https?://(?!www\.w3\.org)", html), path.name
        links = [link for link in re.findall(r'href="([^"#]+)', html) if link != "data:,"]
        assert all((path.parent / link).exists() for link in links), path.name


def test_a_folder_keeps_the_readers_it_was_given_and_what_is_no_longer_drawn_goes(drawn):
    from rapport.flows.pages.draw import draw_pages  # noqa: PLC0415

    place, tonight = drawn
    south = pages_of(place) / "site-south"
    south.chmod(0o755)
    (pages_of(place) / "site-closed").mkdir()
    (pages_of(place) / "site-closed/index.html").write_text("<p>of a site that closed</p>")
    draw_pages(tonight.order)
    assert not (pages_of(place) / "site-closed").exists()
    assert south.stat().st_mode & 0o777 == 0o755
    assert (pages_of(place) / "clinic").stat().st_mode & 0o777 == 0o750
    assert (pages_of(place) / "clinic/index.html").stat().st_mode & 0o777 == 0o640


def test_a_page_that_would_be_the_same_is_kept_under_a_new_header(drawn):
    from rapport.flows.pages.draw import draw_pages  # noqa: PLC0415

    place, tonight = drawn
    for name, ours in (("clinic", "<h3>"), ("dictionary", "<h2>")):
        page, html = pages_of(place) / name / "index.html", read(place, name)
        marked = html.replace(ours, f"{ours}Kept: ")
        page.write_text(marked.replace("Data to 31 October 2026", "Data to another day"))
        draw_pages(tonight.order)
        assert read(place, name) == marked != html
        page.write_text(marked.replace('data-made="', 'data-made="0'))
        draw_pages(tonight.order)
        assert read(place, name) == html


def test_a_place_on_a_page_is_made_from_rows_answers_and_question():
    asked = AnsweredQuestion(load_questions()["gaps"], pl.DataFrame({"so_share": [0.5]}), {("All",): "So it is."})
    others = (
        replace(asked, question=load_questions()["nights"]),
        replace(asked, rows=None),
        replace(asked, rows=pl.DataFrame({"so_share": [0.51]})),
        replace(asked, rows=asked.rows.rename({"so_share": "share"})),
        replace(asked, answers={("All",): "So it was."}),
        replace(asked, is_hidden=True),
    )
    assert len({asked.mark, *(each.mark for each in others)}) == 1 + len(others)
    assert asked.mark == replace(asked, rows=asked.rows.clone()).mark


def test_an_empty_warehouse_has_no_data_yet_and_no_number(tmp_path):
    place = with_operations(open_place(tmp_path / "clinic"))
    place.deliver("appointments_2026-11-18.csv", APPOINTMENTS, [])
    assert place.night("2026-11-18T12:00", run=run_directly).troubles.failed_questions == []
    shown = places_of(read(place, "clinic"))
    assert {answer_of(html) for html in shown.values()} == {NO_DATA}
    assert "<svg" not in read(place, "clinic")
    books = {name: answer_of(html) for name, html in places_of(read(place, "operations")).items()}
    assert books.keys() == OPERATIONS
    assert {name for name, said in books.items() if said == NO_DATA} >= {"quarantine_by_reason"}


def test_a_failing_question_breaks_its_own_place_and_the_night_publishes_with_status_4(yesterday, monkeypatch):
    nights, stays = load_questions()["nights"], load_questions()["staying_past_four"]
    broken = replace(nights, name="broken_query", query="SELECT nothing FROM nowhere")
    mute = replace(nights, name="broken_answer", answer="error('no')")
    shared = replace(stays, name="broken_shared", query="SELECT nothing FROM nowhere")
    with_questions(monkeypatch, broken, mute, shared)
    text = with_operations(yesterday).clinic.read_text()
    yesterday.clinic.write_text(text.replace("[sources.responses]", '[sources.responses]\nevery = "1 hour"'))
    tonight = yesterday.night("2026-11-20T12:00", run=run_directly)
    assert tonight.troubles.failed_questions == ["broken_answer", "broken_query", "broken_shared"]
    assert replace(report_of(tonight), late_sources=[]).status == TROUBLED
    assert yesterday.ask("SELECT load_id FROM load.current") == [(2,)]
    books = places_of(read(yesterday, "operations"))
    assert "broken_query" in answer_of(books["broken_query"])
    assert "broken_answer" in answer_of(books["broken_answer"])
    assert "<svg" in books["nights"]
    assert "broken_shared" in answer_of(places_of(read(yesterday, "clinic"))["broken_shared"])
    assert "The source responses is late: its latest export is of 19 November 2026." in read(yesterday, "clinic")


def test_a_check_that_did_not_run_is_said_on_every_page_with_the_last_good_night(yesterday, monkeypatch):
    from rapport.flows.order import place_change  # noqa: PLC0415
    from rapport.flows.pages.draw import draw_pages  # noqa: PLC0415
    from rapport.warehouse.errors import DidNotRun  # noqa: PLC0415
    from tests.expectations.test_did_not_run import missing_column_rule, with_rule  # noqa: PLC0415

    draw_pages(place_change(with_operations(yesterday).clinic, yesterday.warehouse))
    with monkeypatch.context() as patched:
        with_rule(patched, "rapport.expectations.records", "record_rules", missing_column_rule)
        with pytest.raises(DidNotRun):
            yesterday.night("2026-11-19T12:00")
    failed = (
        "The night of 19 November 2026 failed. These are the numbers of the last good night, that of 18 November 2026."
    )
    assert failed in read(yesterday, "clinic")
    assert "could not run" not in read(yesterday, "clinic")  # why is for who runs it
    assert "could not run" in read(yesterday, "operations")
    yesterday.night("2026-11-19T12:00", run=run_directly)
    assert failed not in read(yesterday, "clinic")
    said = answer_of(places_of(read(yesterday, "operations"))["checks_by_outcome"])
    assert "1 of these nights was stopped by a check that did not run, the latest on 19 Nov" in said


def test_the_page_of_operations_is_made_only_where_a_group_is_named_for_it(yesterday):
    old = pages_of(yesterday) / "operations"
    old.mkdir(parents=True)
    (old / "index.html").write_text("<p>drawn by an earlier version, for whoever could read it</p>")
    yesterday.night("2026-11-19T12:00", run=run_directly)
    assert not old.exists() and not internal_of(yesterday).exists()
    with_operations(yesterday).night("2026-11-19T13:00", run=run_directly)
    folder = internal_of(yesterday) / "operations"
    assert (folder.stat().st_mode & 0o777, folder.stat().st_gid) == (0o750, os.getgid())
    assert "why_numbers_moved" not in read(yesterday, "operations")
    assert not old.exists()
    yesterday.clinic.write_text(yesterday.clinic.read_text().partition("[internal]")[0])
    yesterday.night("2026-11-19T14:00", run=run_directly)
    assert not folder.exists()


def test_a_group_that_the_machine_does_not_have_is_refused_before_anything_is_read(yesterday):
    yesterday.clinic.write_text(f'{yesterday.clinic.read_text()}\n[internal]\noperations = "nobody here"\n')
    with pytest.raises(Unusable, match=r"\[internal\] operations = 'nobody here': this machine has no such group"):
        yesterday.night("2026-11-19T12:00")


BEHIND = "This page was not drawn again since load {} was published: its numbers are of load {}."


def test_pages_that_cannot_be_drawn_take_nothing_back_and_say_so_until_they_are_drawn(yesterday, monkeypatch):
    from rapport.flows.order import place_change  # noqa: PLC0415
    from rapport.flows.pages.draw import draw_pages, main  # noqa: PLC0415

    with_operations(yesterday)
    draw_pages(place_change(yesterday.clinic, yesterday.warehouse))
    with monkeypatch.context() as patched:
        patched.setattr("rapport.flows.pages.draw.load_questions", lambda: 1 / 0)
        tonight = yesterday.night("2026-11-19T12:00", run=run_directly)
    assert tonight.troubles.pages_failed == "the pages could not be drawn (ZeroDivisionError); those of before stand"
    assert report_of(tonight).status == TROUBLED
    assert yesterday.ask("SELECT load_id FROM load.current") == [(2,)]
    assert all(BEHIND.format(2, 1) in read(yesterday, name) for name in ("clinic", "operations"))
    assert main(["--clinic", str(yesterday.clinic), "--warehouse", str(yesterday.warehouse)]) == 0
    assert not any("was not drawn" in read(yesterday, name) for name in ("clinic", "operations"))


def test_pages_of_a_command_that_was_killed_before_it_drew_them_are_told_by_the_next_that_writes(yesterday):
    from rapport.flows.order import place_change  # noqa: PLC0415
    from rapport.flows.pages import worklist  # noqa: PLC0415
    from rapport.flows.pages.draw import draw_pages  # noqa: PLC0415

    with_operations(yesterday)
    draw_pages(place_change(yesterday.clinic, yesterday.warehouse))
    page = pages_of(yesterday) / "clinic/index.html"
    page.write_text(read(yesterday, "clinic").replace('data-load="1"', 'data-load="0"'))
    assert worklist.main(["--clinic", str(yesterday.clinic), "--warehouse", str(yesterday.warehouse)]) == 0
    assert BEHIND.format(1, 0) in read(yesterday, "clinic")
    assert "was not drawn" not in read(yesterday, "operations")
    yesterday.drop("appointments_2026-11-19b.csv", b"")
    with pytest.raises(RapportError, match="is empty"):
        yesterday.night("2026-11-19T14:00")
    assert BEHIND.format(1, 0) in read(yesterday, "clinic")
    assert "The night of 19 November 2026 failed.</p>" in read(yesterday, "clinic")
    assert "These are the numbers of the last good night" in read(yesterday, "operations")


def test_pages_of_0_1_are_behind_once_a_version_is_a_folder(drawn):
    from rapport.flows.pages.draw import _behind_warning  # noqa: PLC0415

    place, _ = drawn
    html = re.sub(r' data-load="\d+"', "", read(place, "clinic"))
    version = place.published.resolve()
    assert _behind_warning(read(place, "clinic"), version) is None
    assert _behind_warning(html, version.parent.parent / f"{version.parent.name}.duckdb") is None
    assert "are of an earlier load" in _behind_warning(html, version)


def test_what_a_page_is_given_is_escaped_and_a_banner_can_be_changed_later():
    name = "<b>North</b>"
    html = page(name, [], header=header(name, dates="1 < 2", warnings=["a & b"]))
    assert "&lt;b&gt;North&lt;/b&gt;" in html
    assert "1 &lt; 2" in html
    assert "a &amp; b" in html
    later = with_banner(html, ["<i>late</i>"])
    assert "&lt;i&gt;late&lt;/i&gt;" in later
    assert "a &amp; b" not in later
    assert with_banner(later, []) == page(name, [], header=header(name, dates="1 < 2"))


def test_the_dictionary_has_a_page_for_every_table_question_and_questionnaire_from_duckdb_itself(drawn):
    place, _ = drawn
    pages = {path.stem for path in (pages_of(place) / "dictionary").glob("*.html")}
    tables = place.ask("""
        SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name || '.' END || name FROM (
            SELECT schema_name, table_name AS name FROM duckdb_tables() WHERE database_name = current_database()
            UNION SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database()
                AND NOT internal)""")
    instruments = place.ask("SELECT 'instrument.' || instrument FROM instruments")
    assert pages == {"index", *(name for (name,) in [*tables, *instruments])}
    srs = (pages_of(place) / "dictionary/instrument.srs.html").read_text(encoding="utf-8")
    assert all(word in srs for word in ("Miller, Duncan &amp; Johnson 2002", "published", "&lt; 36"))
    metric = (pages_of(place) / "dictionary/dashboard.ruptures_by_rule.html").read_text(encoding="utf-8")
    assert "Gumz et al. 2012" in metric
    assert '<a href="ruptures.html">' in metric
    ruptures = (pages_of(place) / "dictionary/ruptures.html").read_text(encoding="utf-8")
    assert '<a href="dashboard.ruptures_by_rule.html">' in ruptures
