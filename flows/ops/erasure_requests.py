"""Requests of erasure that wait in the private tree: `rapport forget-requests`, and Prefect's flow `forget`.

A number given to a flow would stay in Prefect's database. So whoever may read the private tree writes it into
DIR/private/forget.csv, a line each under the heading `space,client,since` (`since` empty: everything), and the flow
takes out who is asked for. A line that is done leaves the file; which exports still hold them, still_holding.csv says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rapport.flows.messages.spreadsheet_csv import csv_lines
from rapport.flows.ops.forget import NobodyKnown, find_person, forget, said_of_elsewhere, still_holding
from rapport.flows.order import need_exports, place_change
from rapport.flows.private.open_erasures import refuse_open
from rapport.flows.private.request_lines import HEADING, request_lines
from rapport.flows.terminal import arguments, finish, read_day
from rapport.warehouse.errors import RapportError, Unusable
from rapport.warehouse.places.folders import Folders, prepare
from rapport.warehouse.places.private_files import need_file, private_text, unusable
from rapport.warehouse.places.scratch import scratch_folder

_WRITE_SO = f"write one line each under the heading {','.join(HEADING)}, the day as 2026-11-22 or empty"


@dataclass(frozen=True)
class Request:
    """One line of the file."""

    space: str
    client: str
    since: date | None
    line: int = field(compare=False)  # where it stands: lines before it leave the file


def waiting(where: Folders) -> list[Request]:
    """The requests that wait. Raises Unusable that names the line, never what is in it."""
    text = private_text(where.erasure_requests, _WRITE_SO)
    if text is None:
        return []
    head, *lines = _lines(text) or [(1, [])]
    if [name.strip() for name in head[1]] != HEADING:
        raise unusable(where.erasure_requests, f"does not begin with {','.join(HEADING)}", _WRITE_SO)
    return [_request(number, line) for number, line in lines if any(map(str.strip, line))]


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The values of each line, and where it ends in the file."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, line) for line in reader]
    except csv.Error:
        raise Unusable(f"line {reader.line_num} of private/forget.csv is not CSV; {_WRITE_SO}") from None


def _request(number: int, line: list[str]) -> Request:
    try:
        space, client, since = (value.strip() for value in line)  # a line that was cut off has fewer
        if not space or not client:
            raise ValueError
        return Request(space, client, read_day("since", since) if since else None, number)
    except (ValueError, Unusable):
        raise Unusable(f"line {number} of private/forget.csv is no request; {_WRITE_SO}") from None


def fulfil(exports: Path, clinic: Path, warehouse: Path, told: Callable[[str], None]) -> int:
    """Take out everybody for whom a request waits, one after the other; how many that were. A request that names nobody
    stays, and those behind it are done. Raises RapportError that names its line, and files that are damaged: the
    erasure stays open until they are gone."""
    where, kept, uncleaned = Folders(warehouse), [], []
    where.refuse_other_user()
    need_exports(exports)
    asked = waiting(where)
    need_file(where.still_holding)
    for request in asked:
        order = place_change(clinic, warehouse)
        try:
            person = find_person(order, request.space, request.client, request.since)
        except NobodyKnown:  # it names the space, and a line may have the number in that place
            kept.append(request)
            continue
        done = forget(order, person)
        _note_holding(where, done.load_id, list(still_holding(order, exports, person)))
        uncleaned = done.cleaned.uncleaned
        _take_off(where, request)
        told(f"one request is done, published as load {done.load_id}")
        for trouble in done.troubles.sentences:
            told(trouble)
        if person.known_elsewhere:
            told(said_of_elsewhere(person))
    if kept:
        lines = ", ".join(str(one.line) for one in waiting(where) if one in kept)
        raise RapportError(
            f"{len(kept)} of {len(asked)} requests in private/forget.csv name nobody who is known (now line {lines}); "
            "correct the number or its id space, or remove the line"
        )
    refuse_open(where, uncleaned)
    return len(asked)


def _take_off(where: Folders, done: Request) -> None:
    """A request leaves the file, as it is now: somebody may have added one while this one was met."""
    left = request_lines((one.space, one.client, one.since) for one in waiting(where) if one != done)
    with scratch_folder(where.building, "requests") as scratch:
        prepare(scratch / where.erasure_requests.name, left).replace(where.erasure_requests)


def _note_holding(where: Folders, load_id: int, names: list[str]) -> None:
    is_new = not where.still_holding.exists()
    where.still_holding.touch(mode=0o600)
    with where.still_holding.open("a", encoding="utf-8", newline="") as file:
        file.write(csv_lines([["load_id", "file"]] * is_new + [[load_id, name] for name in names]))


def main(given: list[str] | None = None) -> int:
    """Take out everybody for whom a request waits."""
    about = "Take out the people for whom a request waits."
    asked = arguments("forget-requests", about, exports=True).parse_args(given)

    def run() -> None:
        done = fulfil(asked.exports, asked.clinic, asked.warehouse, print)
        print(f"{done} requests waited; none waits now.")

    return finish(run, asked.warehouse)
