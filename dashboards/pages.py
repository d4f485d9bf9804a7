"""Pages as HTML: one per audience, static, without scripts. Every value is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rapport.dashboards.findings import Finding

HERE = Path(__file__).parent
SHOWN_FIRST = 4  # the pictures of a question that are shown at once; the others are folded
BANNER = ("<!-- banner -->", "<!-- /banner -->")
HEADER = ("<header>\n", "</header>\n")
KICKER = "Therapeutic alliance"
_LOAD = re.compile(r'<p class="dates" data-load="(\d+)">')
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Group:
    """A heading of the index, and the questions under it."""

    name: str
    findings: list[Finding]


def page(
    title: str,
    findings: Iterable[Finding],
    *,
    header: str,
    mark: str = "",
    relation: str = "dashboard",
    footer: Sequence[str] = (),
    dictionary: str = "../dictionary",
) -> str:
    """One audience's page as HTML. `mark`: the fingerprint of its content. `dictionary`: the path to the dictionary."""
    facts: dict[str, object] = {"title": title, "kicker": KICKER, "header": Markup(header), "mark": mark}
    facts |= {"relation": relation, "footer": list(footer), "shown_first": SHOWN_FIRST, "dictionary": dictionary}
    return render("page.html", groups=grouped(findings), **facts)


def header(
    title: str,
    *,
    dates: str,
    load: int | None = None,
    warnings: Sequence[str] = (),
    pages: Sequence[tuple[str, str]] = (),
) -> str:
    """The part of a page above its questions. `load`: the load whose data it shows. `pages`: the names and addresses of
    all pages; the page itself has an empty address."""
    facts = {"title": title, "kicker": KICKER, "dates": dates, "load": load, "pages": list(pages)}
    return render("header.html", banner=banner(warnings), **facts)


def load_shown(html: str) -> int | None:
    """The load whose data a page shows; None for a page of Rapport 0.1, which does not name it."""
    found = _LOAD.search(html)
    return int(found[1]) if found else None


def has_banner(html: str) -> bool:
    """Whether a page has a place for warnings."""
    return BANNER[0] in html


def with_header(html: str, header: str) -> str:
    """An earlier page with a new header."""
    return _with_between(html, HEADER, header)


def is_made_from(html: str, mark: str) -> bool:
    """Whether a page has this mark, so that its content has not changed."""
    return f'<main data-made="{mark}">' in html


def mark_of(*facts: object) -> str:
    """The fingerprint of a page's content in 128 bits: its facts, with marks of the code, and the drawing library."""
    return sha256(repr((facts, version("vl-convert-python"))).encode()).hexdigest()[:32]


def render(template: str, **facts: object) -> str:
    """The HTML of a template, filled with facts."""
    return _ENVIRONMENT.get_template(template).render(facts)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Findings under their headings, in the order in which they come."""
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.question.group, []).append(each)
    return [Group(name, found) for name, found in groups.items()]


def banner(warnings: Sequence[str]) -> Markup:
    """The warnings above a page's numbers as HTML; empty where there are none."""
    lines = Markup("").join(Markup("<p>{}</p>").format(line) for line in warnings)
    return Markup('<div class="banner" role="note">{}</div>').format(lines) if warnings else Markup("")


def with_banner(html: str, warnings: Sequence[str]) -> str:
    """An earlier page with a new banner."""
    return _with_between(html, BANNER, banner(warnings))


def _with_between(html: str, ends: tuple[str, str], what: str) -> str:
    before, _, rest = html.partition(ends[0])
    after = rest.partition(ends[1])[2]
    return f"{before}{ends[0]}{what}{ends[1]}{after}" if after else html


def day(of: date) -> str:
    """A day as text: 21 November 2026."""
    return f"{of.day} {of:%B %Y}"


def day_and_time(at: datetime) -> str:
    """A day and a time in the clinic's zone as text."""
    return f"{day(at)}, {at:%H:%M}"
