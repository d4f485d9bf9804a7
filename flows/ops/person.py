"""Write a report of all data about one person, to give it to that person.

    rapport person --space SPACE --client NUMBER --out FOLDER --clinic FILE --warehouse DIR

FOLDER is new and only this user can read it (0700). It has person.html and a CSV file per table, and it names the
person. The books record that a report was made, and never about whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import polars as pl

from rapport.dashboards.pages import render
from rapport.flows.messages.spreadsheet_csv import csv_lines
from rapport.flows.ops.forget import Person, find_person
from rapport.flows.order import Order, place_change
from rapport.flows.private.crosswalk import crosswalk_of
from rapport.flows.terminal import arguments, finish
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import resolved
from rapport.warehouse.places.person_notes import note_report
from rapport.warehouse.places.private_files import need_file
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.places.versions import current_load
from rapport.warehouse.published.person_report import PersonRows, rows_about
from rapport.warehouse.store.building_file import open_published

PAGE = "person.html"
ABOUT = (
    "Everything that this warehouse holds of one person, as of {as_of}. Tables of schema history hold every version of "
    "every record; those of main are computed from them; those of load are the books.",
    "Times that end in _at are UTC. Ids are pseudonyms. Questions are told by their number: their wording is not held.",
    "Not in it: the clinic's own exports and backups, older published files (they hold the same or less), and figures "
    "of many people, which name nobody.",
)
_CROSSWALK = (
    ("kind", "What the number is of."),
    ("id_space", "Whose number it is."),
    ("number", "The number in the clinic's own system."),
    ("pseudonym", "The id that stands for it in the other tables."),
    ("birth_date", "The birth date, where an export gave one."),
    ("born_at_export", "The time of that export."),
)


def write_report(order: Order, person: Person, out: Path) -> int:
    """Write the report, and return the number of its rows. Raises Unusable when the folder exists or lies in a tree
    that others read."""
    _refuse(order, out)
    need_file(order.folders.person_reports)
    with open_published(published_version(order.folders)) as con:
        held = [*_in_crosswalk(order, person), *rows_about(con, person.pseudonyms)]
    out.mkdir(mode=0o700, parents=True)
    about = [line.format(as_of=f"{order.as_of.astimezone(order.clinic.zone):%Y-%m-%d %H:%M}") for line in ABOUT]
    shown = [{**vars(each), "rows": [["" if cell is None else cell for cell in row] for row in each.rows.rows()]}
             for each in held]  # fmt: skip
    html = render(PAGE, title="What is held of one person", kicker="Rapport", about=about, held=shown)
    _write(out / PAGE, html)
    for each in held:
        _write(out / f"{each.table}.csv", as_csv(each.rows))
    note_report(order.folders)
    return sum(each.rows.height for each in held)


def as_csv(rows: pl.DataFrame) -> str:
    """Rows of texts as CSV. A spreadsheet that opens it runs no cell as a formula."""
    return csv_lines([rows.columns, *([_number_or_text(cell) for cell in row] for row in rows.iter_rows())])


def _number_or_text(cell: str | None) -> Decimal | str | None:
    """A negative number as Decimal, so that its minus sign is not taken for the start of a formula."""
    try:
        return Decimal(cell) if cell and cell.startswith("-") else cell
    except InvalidOperation:
        return cell


def _refuse(order: Order, out: Path) -> None:
    if out.exists():
        raise Unusable(f"{out} exists already; give --out the name of a new folder")
    place = resolved(out)
    for tree in (order.folders.shared, order.folders.analysts, order.folders.internal):
        if tree.resolve() in (place, *place.parents):
            raise Unusable(f"{out} is in a folder that other users read; give --out a folder of your own")


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _in_crosswalk(order: Order, person: Person) -> Iterator[PersonRows]:
    known = crosswalk_of(order.folders, current_load(order.folders.published))
    rows = known.filter(pl.col("kind") == "client", pl.col("pseudonym").is_in(person.pseudonyms))
    names = {space: order.clinic.spaces.name_of(space) for space in rows["id_space"].unique()}
    rows = rows.with_columns(pl.col("id_space").replace(names))
    if rows.height:
        comment = "The person's numbers in the clinic's own systems, and the birth date: in the private tree alone."
        yield PersonRows("private.crosswalk", comment, _CROSSWALK, rows.cast(pl.String))


def main(argv: list[str] | None = None) -> int:
    """Write the report of one person."""
    parser = arguments("person", "Write down everything that is held of one person.")
    parser.add_argument("--space", required=True, help="the id space of the number: id_space in clinic.toml")
    parser.add_argument("--client", required=True, metavar="NUMBER", help="the client's number in that space")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder to write to")
    options = parser.parse_args(argv)

    def run() -> None:
        order = place_change(options.clinic, options.warehouse)
        person = find_person(order, options.space, options.client, None)
        count = write_report(order, person, options.out)
        held = f"{count:,} rows" if count else "nothing is held of this person any more"
        print(f"{options.out / PAGE}: {held}. It names the person: give it to nobody else.")

    return finish(run, options.warehouse)
