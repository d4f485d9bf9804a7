"""The pages: `rapport pages --clinic FILE --warehouse DIR`; every night draws them too.

Each audience has a folder under DIR/shared/pages, so that readers of a folder see only its page. The page of
operations, which has exact counts, is in DIR/internal/operations, where clinic.toml names a user group for it.

A question that fails breaks only its own place on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from rapport.dashboards.charts.drawing import drawings
from rapport.dashboards.charts.values import label
from rapport.dashboards.pages import (
    day,
    day_and_time,
    has_banner,
    header,
    is_made_from,
    load_shown,
    mark_of,
    page,
    with_banner,
    with_header,
)
from rapport.dashboards.questions import load_questions
from rapport.flows.failures import sayable
from rapport.flows.order import Order, place_change
from rapport.flows.pages.answered_questions import AnsweredQuestion, answer_question, answer_shared_questions
from rapport.flows.pages.dictionary_pages import dictionary_pages
from rapport.flows.pages.page_folders import Placed, folder_names
from rapport.flows.terminal import arguments, capital, finish
from rapport.warehouse.code_marks import code_of
from rapport.warehouse.errors import Damaged, RapportError, Unusable
from rapport.warehouse.places.attempts import failed_attempts
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.page_files import (
    group_number,
    pages_folder,
    pages_in,
    remove_others,
    text_of,
    write_page,
    written_pages,
)
from rapport.warehouse.places.publication import published_version, writing
from rapport.warehouse.places.versions import current_load, current_version, is_folder, load_of, version_of
from rapport.warehouse.published import page_answers
from rapport.warehouse.published.page_answers import FileLoad
from rapport.warehouse.published.views_and_comments import NOT_KNOWN
from rapport.warehouse.schema.questions import PLACES

HIDING = "Numbers of few people are hidden (a dash), others are rounded; only whole months that are over are told."


@dataclass(frozen=True)
class Audience:
    """The readers of a page: its folder, its heading, and its site or program (`place`; empty for the clinic)."""

    folder: str
    title: str
    place: Mapping[str, str]
    is_internal: bool = False  # for staff who may open records: in DIR/internal, where clinic.toml names a group for it

    def in_tree(self, where: Folders) -> Path:
        """Its folder."""
        return (where.internal if self.is_internal else pages_folder(where)) / self.folder


@dataclass(frozen=True)
class Sheet:
    """The content of a page: its audience, its questions, the last day of its data, and warnings for its readers.
    `links`: the name and address of each other page."""

    audience: Audience
    answered: Sequence[AnsweredQuestion]
    data_to: date
    warnings: Sequence[str]
    links: Sequence[tuple[str, str]] = ()
    footer: Sequence[str] = ()


CLINIC = Audience("clinic", "The whole clinic", {})
OPERATIONS = Audience("operations", "Operations", {}, is_internal=True)


@dataclass(frozen=True)
class Drawn:
    """The failures while the pages were drawn."""

    failed_questions: Sequence[str] = ()  # by name
    pages_failed: str | None = None  # why the pages could not be drawn


def draw(order: Order) -> Drawn:
    """Draw the pages, as the last step of a night. The night is already published: a failure here is only reported."""
    try:
        return Drawn(draw_pages(order))
    except Exception as error:
        with suppress(Exception):  # the night reports that the pages could not be drawn
            show_warnings(order)
        return Drawn(pages_failed=f"the pages could not be drawn ({_why(error)}); those of before stand")


def _why(error: Exception) -> str:
    is_known = isinstance(error, RapportError | OSError)
    return str(sayable(error)) if is_known else type(error).__name__


def draw_pages(order: Order) -> list[str]:
    """Draw every page whose content has changed since it was drawn. Return the names of the questions that failed."""
    questions, place = load_questions().values(), pages_folder(order.folders)
    where = order.folders
    with page_answers.open_locked(published_version(where)) as con:
        newest, late = page_answers.load_of_file(con), page_answers.late_sources(con)
        books = [answer_question(con, each) for each in questions if each.audience == "operations"]
        described = dictionary_pages(con, pages_in(place / "dictionary"))
    with page_answers.open_safe(_safe_file(where)) as con:
        shared, last_day = answer_shared_questions(con, questions), page_answers.closed_to(con) - timedelta(days=1)
    sheets = _shared_sheets(_audiences(order, shared), shared, last_day, _warnings(order, newest, late))
    data_to, published = (at.astimezone(order.clinic.zone) for at in (newest.data_to, newest.published_at))
    failed = {each.question.name for each in books if each.rows is None}
    if OPERATIONS.folder in order.clinic.internal:
        sheets.append(Sheet(OPERATIONS, books, data_to, [*sheets[0].warnings, *_failure_reasons(order)]))
    before = {each: text_of(each) for each in written_pages(where)}
    drawings_before = {mark: svg for html in before.values() for mark, svg in drawings(html).items()}
    files = {place / "dictionary" / name: html for name, html in described.items()}
    for each in sheets:
        file = each.audience.in_tree(where) / "index.html"
        above = _header(each, newest.load_id, published)
        files[file], broken = _drawn(each, above, before.get(file, ""), drawings_before)
        failed |= broken
    _write(order, files)
    return sorted(failed)


def _write(order: Order, files: Mapping[Path, str]) -> None:
    """Write every page that can be written. Raises Unusable, which names the folders of the other pages."""
    refused = {}
    for file, html in files.items():
        try:
            write_page(file, html, _group_of(order, file))
        except (Unusable, OSError) as error:
            refused[file.parent] = str(sayable(error))
    for place in (pages_folder(order.folders), order.folders.internal):
        remove_others(place, files.keys())
    if refused:
        raise Unusable("; ".join(refused.values()))


def _group_of(order: Order, file: Path) -> int | None:
    """The user group of an internal page, from clinic.toml; None for a shared page, whose folder has a group."""
    folder = file.parent
    is_internal = folder.parent == order.folders.internal
    return group_number(folder.name, order.clinic.internal[folder.name]) if is_internal else None


def _safe_file(where: Folders) -> Path:
    """The safe file of the published load. Raises Damaged when it is missing."""
    load_id = current_load(where.published)
    if version := version_of(where.safe, load_id):
        return version
    raise Damaged(
        f"the safe file of load {load_id} is missing in shared/versions; run the next night, which makes one",
        where.shared / "versions",
    )


def _shared_sheets(
    audiences: Sequence[Audience], shared: Sequence[AnsweredQuestion], last_day: date, warnings: Sequence[str]
) -> list[Sheet]:
    """The clinic's page, which links to the others, and the pages of sites and programs."""
    return [
        Sheet(
            each,
            [answered for answered in shared if _is_for(answered, each)],
            last_day,
            warnings,
            links=_links(audiences) if each is CLINIC else (),
            footer=(HIDING,),
        )
        for each in audiences
    ]


def _header(sheet: Sheet, load_id: int, published: datetime) -> str:
    dates = f"Data to {day(sheet.data_to)}. Published {day_and_time(published)}."
    return header(sheet.audience.title, dates=dates, load=load_id, warnings=sheet.warnings, pages=sheet.links)


def _drawn(sheet: Sheet, above: str, before: str, drawings_before: MutableMapping[str, str]) -> tuple[str, set[str]]:
    """The page, and the names of the questions that failed. An unchanged page is returned with its new header."""
    mark = mark_of(sheet.audience, sheet.footer, [answered.mark for answered in sheet.answered], code_of(page).mark)
    if is_made_from(before, mark):
        return with_header(before, above), set()
    findings = [answered.finding_at(sheet.audience.place, drawings_before) for answered in sheet.answered]
    broken = {each.question.name for each in findings if each.has_failed}
    title = sheet.audience.title
    dictionary = "../../shared/pages/dictionary" if sheet.audience.is_internal else "../dictionary"
    made = page(title, findings, header=above, mark="" if broken else mark, footer=sheet.footer, dictionary=dictionary)
    return made, broken


def show_warnings(order: Order) -> None:
    """Show warnings on the present pages: a failed night, a late source, or a load that was published since they were
    drawn."""
    pages = _present_pages(order)
    if not pages:
        return
    version = published_version(order.folders)
    with page_answers.open_locked(version) as con:
        newest, late = page_answers.load_of_file(con), page_answers.late_sources(con)
    for written, html in pages.items():
        warnings = _warnings(order, newest, late, behind=_behind_warning(html, version))
        more = _failure_reasons(order) if written.parent == OPERATIONS.in_tree(order.folders) else []
        write_page(written, with_banner(html, [*warnings, *more]))


def show_warnings_if_behind(order: Order) -> None:
    """Show on the pages that a load was published since they were drawn. An interrupted command may have left them
    so."""
    version = current_version(order.folders.published)
    if version and any(
        (warning := _behind_warning(html, version)) and warning not in html for html in _present_pages(order).values()
    ):
        show_warnings(order)


def _present_pages(order: Order) -> dict[Path, str]:
    """The HTML of the present pages that can show warnings, by file."""
    read = ((page, text_of(page)) for page in written_pages(order.folders))
    return {page: html for page, html in read if has_banner(html)}


def _behind_warning(html: str, version: Path) -> str | None:
    """The warning on a page that shows another load than the published one; None for a page that is current. Pages of
    version 0.1 name no load: they are not current when the published version is a folder, which 0.1 did not make."""
    load_id, load_on_page = load_of(version), load_shown(html)
    if load_on_page == load_id or (load_on_page is None and not is_folder(version)):
        return None
    whose = "an earlier load" if load_on_page is None else f"load {load_on_page}"
    return f"This page was not drawn again since load {load_id} was published: its numbers are of {whose}."


def _audiences(order: Order, shared: Sequence[AnsweredQuestion]) -> list[Audience]:
    """The clinic, then every site and every program in the questions' rows, without 'other' and unknown ones."""
    placed = [
        Placed(kind, value, capital(label(value, kind)))
        for kind in PLACES
        for value in sorted(set().union(*(each.values(kind) for each in shared)) - {NOT_KNOWN, "other"})
    ]
    names = folder_names(order.folders, placed)
    return [CLINIC, *(Audience(names[each], each.title, {each.kind: each.name}) for each in placed)]


def _is_for(answered: AnsweredQuestion, audience: Audience) -> bool:
    """Whether a question is on an audience's page. One without figures per site or program is on the clinic's only."""
    return set(audience.place) <= set(answered.question.filters)


def _links(audiences: Iterable[Audience]) -> list[tuple[str, str]]:
    return [(each.title, "" if each is CLINIC else f"../{each.folder}/index.html") for each in audiences]


def _warnings(
    order: Order, newest: FileLoad, late: Iterable[tuple[str, datetime | None]], behind: str | None = None
) -> list[str]:
    """The warnings for readers: `behind`, a later night that failed, and each late source."""
    zone = order.clinic.zone
    good, made = day(newest.as_of.astimezone(zone)), [behind] if behind else []
    if attempts := [each for each in failed_attempts(order.folders) if each["purpose"] == "night"]:
        when = day(datetime.fromisoformat(attempts[-1]["as_of"]).astimezone(zone))
        whose = "" if behind else f" These are the numbers of the last good night, that of {good}."
        made.append(f"The night of {when} failed.{whose}")
    for source, last in late:
        came = f"its latest export is of {day(last.astimezone(zone))}" if last else "it never came"
        made.append(f"The source {source} is late: {came}. What it would tell is missing since.")
    return made


def _failure_reasons(order: Order) -> list[str]:
    return [f"Why: {each['reason']}." for each in failed_attempts(order.folders)[-1:]]


def main(argv: list[str] | None = None) -> int:
    """Draw the pages of the published load."""
    options = arguments("pages", "Draw the pages of what is published.").parse_args(argv)

    def run() -> None:
        order = place_change(options.clinic, options.warehouse)
        with writing(order.folders):
            troubles = draw_pages(order)
        if troubles:
            raise RapportError(
                f"these questions failed: {', '.join(troubles)}; correct dashboards/NAME.sql of each, then draw again"
            )
        print(f"The pages are drawn: {pages_folder(order.folders)}")

    return finish(run, options.warehouse)
