"""Erasure requests that wait in the private tree: `rapport forget-requests`, and the Prefect flow `forget`.

A client's number in a flow's parameters would stay in Prefect's database. So a person who may read the private tree
writes it into DIR/private/forget.csv, one line per request under the heading `space,client,since`. An empty `since`
means everything. The flow takes these people out and removes each finished line. still_holding.csv lists the exports
that still contain them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rapport.flows.messages.spreadsheet_csv import csv_lines
from rapport.flows.ops.forget import NobodyKnown, elsewhere_sentence, find_person, forget, still_holding
from rapport.flows.order import need_exports, place_change
from rapport.flows.private.open_erasures import refuse_open
from rapport.flows.private.request_lines import HEADING, request_lines
from rapport.flows.terminal import arguments, finish, read_day
from rapport.warehouse.errors import RapportError, Unusable
from rapport.warehouse.places.folders import Folders, prepare
from rapport.warehouse.places.private_files import need_file, private_text, unusable
from rapport.warehouse.places.scratch import scratch_folder

_WRITE_SO = f"write one request per line under the heading {','.join(HEADING)}, with the day as 2026-11-22 or empty"


@dataclass(frozen=True)
class Request:
    """One line of the file."""

    space: str
    client: str
    since: date | None
    line: int = field(compare=False)  # its line number, which changes when earlier lines are removed


def waiting(where: Folders) -> list[Request]:
    """The requests in the file. Raises Unusable, which names the line, never its content."""
    text = private_text(where.erasure_requests, _WRITE_SO)
    if text is None:
        return []
    head, *lines = _lines(text) or [(1, [])]
    if [name.strip() for name in head[1]] != HEADING:
        raise unusable(where.erasure_requests, f"does not begin with {','.join(HEADING)}", _WRITE_SO)
    return [_request(number, line) for number, line in lines if any(map(str.strip, line))]


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Each line's number in the file, and its values."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, line) for line in reader]
    except csv.Error:
        raise Unusable(f"line {reader.line_num} of private/forget.csv is not CSV; {_WRITE_SO}") from None


def _request(number: int, line: list[str]) -> Request:
    try:
        space, client, since = (value.strip() for value in line)  # a line that was cut off has fewer values
        if not space or not client:
            raise ValueError
        return Request(space, client, read_day("since", since) if since else None, number)
    except (ValueError, Unusable):
        raise Unusable(f"line {number} of private/forget.csv is not a request; {_WRITE_SO}") from None


def fulfil(exports: Path, clinic: Path, warehouse: Path, progress: Callable[[str], None]) -> int:
    """Take out the people of all requests, one after the other, and return the number of requests. A request that names
    nobody stays in the file; the later ones are done.

    Raises RapportError, which names the lines of the requests that stay. It also names damaged files: the erasure stays
    open until they are removed."""
    where, kept, uncleaned = Folders(warehouse), [], []
    where.refuse_other_user()
    need_exports(exports)
    found = waiting(where)
    need_file(where.still_holding)
    for request in found:
        order = place_change(clinic, warehouse)
        try:
            person = find_person(order, request.space, request.client, request.since)
        except NobodyKnown:  # its message names the space, and a wrong line may have the number there
            kept.append(request)
            continue
        done = forget(order, person)
        _note_holding(where, done.load_id, list(still_holding(order, exports, person)))
        uncleaned = done.cleaned.uncleaned
        _take_off(where, request)
        progress(f"one request is done, published as load {done.load_id}")
        for trouble in done.troubles.sentences:
            progress(trouble)
        if person.known_elsewhere:
            progress(elsewhere_sentence(person))
    if kept:
        lines = ", ".join(str(one.line) for one in waiting(where) if one in kept)
        raise RapportError(
            f"{len(kept)} of {len(found)} requests in private/forget.csv name nobody who is known (now line {lines}); "
            "correct the number or its id space, or remove the line"
        )
    refuse_open(where, uncleaned)
    return len(found)


def _take_off(where: Folders, done: Request) -> None:
    """Remove a request from the present file: a person may have added another one meanwhile."""
    left = request_lines((one.space, one.client, one.since) for one in waiting(where) if one != done)
    with scratch_folder(where.building, "requests") as scratch:
        prepare(scratch / where.erasure_requests.name, left).replace(where.erasure_requests)


def _note_holding(where: Folders, load_id: int, names: list[str]) -> None:
    is_new = not where.still_holding.exists()
    where.still_holding.touch(mode=0o600)
    with where.still_holding.open("a", encoding="utf-8", newline="") as file:
        file.write(csv_lines([["load_id", "file"]] * is_new + [[load_id, name] for name in names]))


def main(argv: list[str] | None = None) -> int:
    """Take out the people of all waiting requests."""
    about = "Take out the people for whom a request waits."
    options = arguments("forget-requests", about, exports=True).parse_args(argv)

    def run() -> None:
        done = fulfil(options.exports, options.clinic, options.warehouse, print)
        print(f"{done} requests waited; none waits now.")

    return finish(run, options.warehouse)
