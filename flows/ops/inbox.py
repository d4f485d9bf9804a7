"""The inbox of rows that a rule holds back: `rapport inbox list|show|discard`.

list      the rows that wait (with --state: rows that were released, discarded or are gone)
show      a row's values, read from its export; they are shown on this terminal only
discard   remove rows that nobody will mend; they stay out of the inbox in later exports
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rapport.flows.load import at_work
from rapport.flows.messages.literal import console, plain_grid
from rapport.flows.ops.publish_load import Done, compute_if_needed, publish_load
from rapport.flows.order import Order, need_exports, place_change
from rapport.flows.steps.begin import begin
from rapport.flows.steps.check import Checked
from rapport.flows.steps.discover import matching
from rapport.flows.terminal import PUBLISHED, arguments, finish
from rapport.flows.troubles import print_troubles
from rapport.transforms.sources import open_delivery
from rapport.transforms.sources.opening.shape import MARK, NUMBER
from rapport.transforms.sources.opening.tables import digest_of
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused, Unusable, escaped
from rapport.warehouse.intake import quarantine
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.schema.books import QUARANTINE_STATES
from rapport.warehouse.store.building_file import open_published

NUMBERS = range(1, 2**63)  # the row numbers that the column can hold


def waiting_rows(order: Order, state: str) -> list[quarantine.Held]:
    """The rows of a state, oldest first."""
    with open_published(published_version(order.folders)) as con:
        return quarantine.held_rows(con, state)


def show(order: Order, exports: Path, number: int) -> dict[str, str | None]:
    """The values of one held row, by column. Raises Unusable when its file is missing or has changed."""
    with open_published(published_version(order.folders)) as con:
        held = quarantine.place_of(con, number) if number in NUMBERS else None
    if held is None:
        raise Unusable(f"there is no row {number}; rapport inbox list shows the numbers")
    source_name, content, record_number = held
    source = next((each for each in order.clinic.sources if each.name == source_name), None)
    if source is None:
        raise Unusable(f"clinic.toml has no source '{source_name}' any more; add its section again, or discard the row")
    need_exports(exports)
    for path, _ in matching(exports, source):
        if digest_of(path) == content:
            return _record(path, source, record_number)
    raise Unusable(
        f"row {number} cannot be shown: its export is no longer in the exports folder, or was changed since; put the "
        "export back"
    )


def _record(path: Path, source: Source, record_number: int) -> dict[str, str | None]:
    try:
        export = open_delivery(path, source)
        columns = _columns(export.header)
        export.need(columns.values())
        for chunk in export.chunks:
            if (row := chunk.filter(chunk[NUMBER] == record_number)).height:
                return {shown: row[column].item(0) for shown, column in columns.items()}
    except Refused as refused:
        raise refused.of(source.files, path.name) from None
    raise Unusable(
        f"an export of {source.files} no longer has record {record_number}; run a night, then list the rows again"
    )


def _columns(header: list[str]) -> dict[str, str]:
    """The name in the export of each column, by the name that is shown. Columns with the same name get their place."""
    found = {}
    for place, name in enumerate(header, start=1):
        is_alone = name and header.count(name) == 1
        shown = name.removeprefix(MARK) if is_alone else f"{name}#{header[:place].count(name)}"
        found[f"{shown}#{place}" if shown in found else shown] = name if is_alone else f"#{place}"
    return found


def discard(order: Order, numbers: list[int]) -> Done:
    """Remove waiting rows from the inbox, in a load of its own. Raises Unusable when a row does not wait."""
    with at_work(order, "discard") as load:
        bench = begin(load)
        known = [number for number in numbers if number in NUMBERS]
        if quarantine.discard(bench.con, load.load_id, known) != len(set(numbers)):
            raise Unusable("one of these rows does not wait; rapport inbox list shows the rows that wait")
        bench, computed = compute_if_needed(bench)
        return publish_load(bench, computed, Checked(), f"{len(numbers)} rows of quarantine discarded")


def print_rows(rows: list[quarantine.Held], state: str) -> None:
    """Print rows of the inbox, without any value."""
    if not rows:
        print(f"Nothing is {state.replace('_', ' ')}.")
        return
    table = plain_grid(("row", "since load", "source", "kind", "record", "records", "rule", "column"))
    for row in rows:
        table.add_row(*map(str, row))
    console(width=1000).print(table)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rapport inbox", description="The inbox of held rows.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        shared = [arguments("inbox", "")]
        return commands.add_parser(name, help=help_text, add_help=False, parents=shared, conflict_handler="resolve")

    listed = command("list", "what waits")
    listed.add_argument("--state", choices=QUARANTINE_STATES, default="waiting")
    shown = command("show", "a row's values, on this terminal only")
    shown.add_argument("--exports", type=Path, required=True, metavar="DIR", help="where the exports arrive")
    shown.add_argument("row", type=int)
    discarded = command("discard", "rows that will not be mended")
    discarded.add_argument("rows", type=int, nargs="+", metavar="row")
    return parser


def main(argv: list[str] | None = None) -> int:
    """List, show or discard held rows."""
    options = _arguments().parse_args(argv)

    def run() -> int:
        order = place_change(options.clinic, options.warehouse)
        if options.command == "list":
            print_rows(waiting_rows(order, options.state), options.state)
        elif options.command == "show":
            for column, value in show(order, options.exports, options.row).items():
                print(escaped(f"{column}: {'' if value is None else value}"))
        else:
            made = discard(order, options.rows)
            print(f"{len(set(options.rows))} rows discarded, as load {made.load_id}.")
            return print_troubles(made.troubles)
        return PUBLISHED

    return finish(run, options.warehouse)
