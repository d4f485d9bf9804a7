"""A folder of pages never changes hands: names that make one folder name have two, and what was given is remembered."""

import json
from types import SimpleNamespace

import polars as pl
import pytest

from rapport.dashboards.questions import load_questions
from rapport.flows.pages.answered_questions import AnsweredQuestion
from rapport.flows.pages.draw import _audiences, draw
from rapport.flows.pages.page_folders import Placed, folder_names
from rapport.warehouse.errors import RapportError
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.page_files import pages_folder, write_page

LONG = "x" * 300


@pytest.fixture
def where(tmp_path):
    made = Folders(tmp_path / "warehouse")
    made.make()
    return made


def sites(where, *names: str) -> list[str]:
    return list(folder_names(where, [Placed("site", name, name) for name in names]).values())


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (("north", "south"), ["site-north", "site-south"]),
        (("St Mary", "St. Mary", "st. mary!"), ["site-st-mary", "site-st-mary-2", "site-st-mary-3"]),
        (("大阪", "東京", "unnamed", "..", "'"), ["site-unnamed", *(f"site-unnamed-{n}" for n in (2, 3, 4, 5))]),
        (("clinic", "operations", "dictionary"), ["site-clinic", "site-operations", "site-dictionary"]),
        (("north", "North", "north 2"), ["site-north", "site-north-2", "site-north-2-2"]),
        (("../../private", "/etc", "a/b\nc"), ["site-private", "site-etc", "site-a-b-c"]),
        ((LONG, LONG + "y"), [f"site-{'x' * 200}", f"site-{'x' * 200}-2"]),
    ],
)
def test_two_names_that_make_one_folder_name_have_two(where, names, folders):
    assert sites(where, *names) == folders
    for folder in folders:
        write_page(pages_folder(where) / folder / "index.html", "<p>")
    assert sites(where, *names) == folders


def test_programs_and_sites_of_one_name_have_a_folder_each(where):
    placed = [Placed("site", "north", "North"), Placed("program", "north", "North")]
    assert list(folder_names(where, placed).values()) == ["site-north", "program-north"]


def test_the_name_that_was_there_first_keeps_its_folder_whoever_comes_and_goes(where):
    assert sites(where, "St. Mary") == ["site-st-mary"]
    assert sites(where, "St Mary", "St. Mary") == ["site-st-mary-2", "site-st-mary"]
    assert sites(where, "St Mary") == ["site-st-mary-2"]  # the first closed; its folder may still have its readers
    assert sites(where, "st mary") == ["site-st-mary-3"]
    assert sites(where, "St. Mary") == ["site-st-mary"]


def test_what_is_remembered_is_for_the_night_s_user_alone(where):
    sites(where, "東京")
    memory = where.private / "page_folders.json"
    assert json.loads(memory.read_text(encoding="utf-8")) == {"site-unnamed": ["site", "東京"]}
    assert memory.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in where.private.glob(".*")] == []


def test_a_folder_from_before_there_was_a_memory_stays_with_the_site_of_its_page(where):
    """Until then the last of two such sites had it: the page of the other was never seen there."""
    write_page(pages_folder(where) / "site-st-mary/index.html", "<header>\n<h1>St. Mary &amp; Co</h1></header>")
    write_page(pages_folder(where) / "site-old/.htaccess", "somebody's")
    assert sites(where, "St Mary") == ["site-st-mary-2"]
    assert sites(where, "St. Mary") == ["site-st-mary-3"]  # nor another's, whose page has another heading
    assert sites(where, "St. Mary & Co", "Old") == ["site-st-mary-co", "site-old-2"]


def test_a_folder_from_before_is_taken_on_by_its_own_site(where):
    write_page(pages_folder(where) / "site-st-mary/index.html", "<h1>St. Mary</h1>")
    assert sites(where, "St Mary", "St. Mary") == ["site-st-mary-2", "site-st-mary"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"site-north": 3}', '{"site-north": ["site"]}'])
def test_a_damaged_memory_draws_no_page_and_says_so(where, damage, monkeypatch):
    (where.private / "page_folders.json").write_text(damage)
    with pytest.raises(RapportError, match=r"page_folders\.json is damaged; it says .*: restore it"):
        sites(where, "north")
    monkeypatch.setattr("rapport.flows.pages.draw.draw_pages", lambda order: sites(order, "north"))
    assert draw(where).pages_failed.startswith("the pages could not be drawn (private/page_folders.json is damaged")


def test_each_of_two_sites_has_a_page_of_its_own(where):
    """They had one: whoever read the first site's folder saw the second."""
    rows = pl.DataFrame({"site": ["All", "大阪", "東京", "other"], "program": "All"})
    asked = AnsweredQuestion(load_questions()["attendance_by_month"], rows)
    made = _audiences(SimpleNamespace(folders=where), [asked])
    assert [(each.folder, dict(each.place)) for each in made] == [
        ("clinic", {}),
        ("site-unnamed", {"site": "大阪"}),
        ("site-unnamed-2", {"site": "東京"}),
    ]
