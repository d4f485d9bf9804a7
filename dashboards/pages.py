"""Pages as HTML: one per audience, static, without a script. Every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from dashboards.findings import Finding

HERE = Path(__file__).parent
SHOWN_FIRST = 4  # pictures of a question; its other panels wait behind a disclosure
BANNER = ("<!-- banner -->", "<!-- /banner -->")
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
    dates: str,
    warnings: Sequence[str] = (),
    pages: Sequence[tuple[str, str]] = (),
    relation: str = "dashboard",
    footer: Sequence[str] = (),
) -> str:
    """One audience's page. `pages` are the others' names and links; its own has no link."""
    facts = {"title": title, "kicker": "Therapeutic alliance", "dates": dates, "groups": grouped(findings)}
    facts |= {"pages": list(pages), "relation": relation, "footer": list(footer), "shown_first": SHOWN_FIRST}
    return render("page.html", banner=banner(warnings), **facts)


def render(template: str, **facts: object) -> str:
    """A template with its facts."""
    return _ENVIRONMENT.get_template(template).render(facts)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Findings under their headings, in the order in which they come."""
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.question.group, []).append(each)
    return [Group(name, found) for name, found in groups.items()]


def banner(warnings: Sequence[str]) -> Markup:
    """What a reader should know before the numbers; nothing where all is well."""
    lines = Markup("").join(Markup("<p>{}</p>").format(line) for line in warnings)
    return Markup('<div class="banner" role="note">{}</div>').format(lines) if warnings else Markup("")


def with_banner(html: str, warnings: Sequence[str]) -> str:
    """A page that was drawn before, under another banner."""
    before, _, rest = html.partition(BANNER[0])
    after = rest.partition(BANNER[1])[2]
    return f"{before}{BANNER[0]}{banner(warnings)}{BANNER[1]}{after}" if after else html


def day(of: date) -> str:
    """A day as it is read: 21 November 2026."""
    return f"{of.day} {of:%B %Y}"


def moment(at: datetime) -> str:
    """A day and a time of the clinic's zone."""
    return f"{day(at)}, {at:%H:%M}"
