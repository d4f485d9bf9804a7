"""The pages in a browser: Debian's Chromium, headless and offline. Without it these tests did not run, and say so."""

import shutil
from itertools import combinations
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="did not run: Debian's chromium is not here; make browser installs it"
)
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
AUDIENCES = ("clinic", "site-south", "../../internal/operations")
PAGES = [*(f"{name}/index.html" for name in AUDIENCES), "dictionary/index.html", "dictionary/instrument.srs.html",
         "dictionary/dashboard.ruptures_by_rule.html", "dictionary/alliance.html"]  # fmt: skip
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def pages(drawn) -> Path:
    """The pages of a demo clinic's night."""
    return drawn[0].warehouse / "shared/pages"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def tab(browser):
    """A tab that remembers what it asked for and what it was told."""
    opened = browser.new_page(viewport=DESK)
    opened.asked, opened.told = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.told.append(message.text))
    opened.on("pageerror", lambda error: opened.told.append(str(error)))
    yield opened
    opened.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_alone_silently_accessibly_and_without_overflow(pages, tab, name):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    tab.goto((pages / name).as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert [url for url in tab.asked if not url.startswith("data:")] == [(pages / name).resolve().as_uri()]
    assert tab.told == []
    violations = Axe().run(tab).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations] == []
    for size in (PHONE, DESK):
        tab.set_viewport_size(size)
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("name", AUDIENCES)
def test_every_picture_has_its_size_and_lies_inside_the_phone(pages, tab, name):
    tab.set_viewport_size(PHONE)
    tab.goto((pages / name / "index.html").as_uri())
    boxes = tab.evaluate("""[...document.querySelectorAll('main > section > div > article > .pictures svg')].map(
        each => [each.getBoundingClientRect().left, each.getBoundingClientRect().right,
                 each.getBoundingClientRect().height])""")
    assert len(boxes) >= 5
    assert all(left >= 0 and right <= PHONE["width"] and height >= 40 for left, right, height in boxes)


TEXTS = """[...document.querySelectorAll('svg')].map(svg => {
    const inside = each => [each.left, each.top, each.right, each.bottom];
    return [svg.getAttribute('aria-labelledby'), inside(svg.getBoundingClientRect()),
        [...svg.querySelectorAll('text')].filter(each => each.textContent.trim())
            .map(each => [each.textContent, inside(each.getBoundingClientRect())])]; })"""


@pytest.mark.parametrize("name", AUDIENCES)
def test_no_text_of_a_picture_is_cut_off_or_lies_over_another(pages, tab, name):
    tab.goto((pages / name / "index.html").as_uri())
    tab.evaluate("document.querySelectorAll('details.more').forEach(each => each.open = true)")
    pictures = tab.evaluate(TEXTS)
    assert sum(len(texts) for _, _, texts in pictures) > 40
    for picture, (left, top, right, bottom), texts in pictures:
        cut = [text for text, box in texts if box[0] < left - 1 or box[1] < top - 1 or box[2] > right + 1]
        assert (picture, cut + [text for text, box in texts if box[3] > bottom + 1]) == (picture, [])
        over = [(one, other) for (one, a), (other, b) in combinations(texts, 2) if overlap(a, b)]
        assert (picture, over) == (picture, [])


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes lie over each other by more than what is blank around letters."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    return across > 2 and min(one[3], other[3]) - max(one[1], other[1]) > 5


@pytest.mark.parametrize("name", AUDIENCES)
def test_a_page_prints_on_few_sheets_with_every_question(pages, tab, tmp_path, name):
    tab.goto((pages / name / "index.html").as_uri())
    questions = tab.locator("article h3").all_inner_texts()
    printed = tab.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert 1 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= len(questions)
    tab.emulate_media(media="print")
    assert all(each.is_visible() for each in tab.locator("article h3").all())
    assert not any(each.is_visible() for each in tab.locator("details.table").all())
