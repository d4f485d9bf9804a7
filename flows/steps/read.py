"""Reading: every delivery through its reader and its pseudonyms, into the staged rows and the books."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from rapport.flows.order import Tonight
from rapport.flows.private.kept_out import tell_kept_out, without_taken_out
from rapport.flows.steps.discover import Delivery
from rapport.flows.steps.former_texts import stage_former_texts
from rapport.flows.steps.join_clients import follow_links, join_clients
from rapport.flows.steps.remembered_lines import ReadByLine, ways_by_line
from rapport.flows.steps.settle_spaces import former_spaces, same_spaces, tell_moved
from rapport.flows.steps.undeclared_spaces import settle_undeclared
from rapport.transforms.pseudonyms import former_record_ids, pseudonymise, retracted_ids
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.reading_tallies import Task
from rapport.transforms.sources.opening.line_by_line import NotByLine
from rapport.transforms.sources.opening.opened import RECORD, Opened
from rapport.warehouse.errors import Refused, escaped
from rapport.warehouse.history import erase, former_ids, record_versions, risk_answers
from rapport.warehouse.intake import ledger, quarantine, staged_rows
from rapport.warehouse.intake.unchanged_lines import RISKS, is_contradicted, show


def read_deliveries(tonight: Tonight) -> None:
    """Every file through its reader, pseudonymised, into the staged rows."""
    settle_undeclared(tonight)
    join_clients(tonight)
    for delivery in tonight.deliveries:
        tonight.told(f"reading {delivery.label}")
        try:
            _read(tonight, delivery)
        except Refused as refused:
            raise refused.of(delivery.label, delivery.path.name) from None
    leave_out_undated(tonight)
    former_ids.follow(tonight.con, tonight.load_id)
    tell_moved(tonight)
    tell_kept_out(tonight)
    tonight.row_count = tonight.staging.row_count


def leave_out_undated(tonight: Tonight) -> None:
    """Somebody of whom everything up to a day was taken out is read where something later is known, or came tonight.
    Else what has no day (a client's row, an undated answer) is not read: it belongs to what was taken out."""
    con = tonight.con
    buried = tonight.tombstones.among(staged_rows.people(con)) if tonight.tombstones.days else {}
    suspected = [person for person, days in {**buried, **tonight.old_elsewhere}.items() if days.until]
    if suspected:
        suspected = set(suspected).difference(erase.known_people(con))
    if suspected:
        left_out = staged_rows.drop_undated(con, suspected)
        follow_links(tonight)  # of those who are known again from tonight on
        for read in tonight.by_line:
            read.left_out.append(left_out.filter(file_number=read.delivery.number)["record_number"])


@dataclass
class Taken:
    """A delivery as it was read: its rows are staged."""

    opened: Opened
    task: Task
    births: list[pl.DataFrame] = field(default_factory=list)
    left_out: list[pl.Series] = field(default_factory=list)  # records of people who may not be read
    met: pl.DataFrame | None = None  # what is known of lines that were not read; None for a file not read by its lines


def _read(tonight: Tonight, delivery: Delivery) -> None:
    if delivery.same_as:
        _pass_over(tonight, delivery)
        return
    taken = _taken(tonight, delivery)
    if not delivery.is_unmoved:
        tonight.staging.drop_file(delivery.number)
        tonight.waiting.append(escaped(delivery.path.name))
        return
    _enter(tonight, delivery, taken)


def _taken(tonight: Tonight, delivery: Delivery) -> Taken:
    """A file's rows, staged: of a whole export only the lines that are not known, if they can be taken one by one."""
    opened = open_delivery(delivery.path, delivery.source)
    for lines in ways_by_line(tonight, delivery, opened):
        opened.lines = lines
        try:
            return _take(tonight, delivery, opened)
        except NotByLine:
            tonight.staging.drop_file(delivery.number)
            opened = open_delivery(delivery.path, delivery.source)
    return _take(tonight, delivery, opened)


def _take(tonight: Tonight, delivery: Delivery, opened: Opened) -> Taken:
    """Every row of a file through its reader and its pseudonyms into the staged rows. Raises NotByLine."""
    clinic = tonight.order.clinic
    task = Task(tonight.order.as_of, clinic.lists, clinic.instruments, made_at=delivery.exported_at)
    taken = Taken(opened, task)
    for kind, given in read(opened, delivery.source, task):
        frame = without_taken_out(tonight, delivery.source, kind, given, task.former_texts.get("client", ()))
        safe = pseudonymise(kind, frame, delivery.source, tonight.pseudonyms)
        if kind == "clients":
            born = safe.select("client_id").with_columns(frame["birth_date"])
            named = pl.col("client_id").bin.encode("hex").alias("pseudonym")
            taken.births.append(tonight.tombstones.without(kind, born).select(named, "birth_date"))
        _stage_former_ids(tonight, delivery, kind, frame, safe)
        stage_former_texts(tonight, delivery.source, kind, frame, safe["client_id"], task.former_texts)
        may_be_read = tonight.tombstones.without(kind, safe)
        if may_be_read.height < given.height:
            taken.left_out.append(given.join(may_be_read, on=RECORD, how="anti")[RECORD])
        tonight.staging.add_rows(kind, may_be_read, delivery.number)
    if opened.lines:
        taken.met = opened.lines.met_again()
        if is_contradicted(tonight.con, delivery.number, taken.met):
            raise NotByLine
    return taken


def _stage_former_ids(tonight: Tonight, delivery: Delivery, kind: str, frame: pl.DataFrame, safe: pl.DataFrame) -> None:
    """Stage which ids the records had while their source had a space that is the same as its present one."""
    former = {*former_spaces(tonight, delivery.source)} & {*same_spaces(tonight, delivery.source)}
    if former:
        ids = former_record_ids(kind, frame, safe["client_id"], delivery.source, sorted(former), tonight.pseudonyms)
        former_ids.stage(tonight.con, delivery.source.name, kind, ids)


def _enter(tonight: Tonight, delivery: Delivery, taken: Taken) -> None:
    """What was read into the books, and beside the staged rows what else it tells."""
    opened, task = taken.opened, taken.task
    exported_at = delivery.exported_at or task.exported_at or tonight.order.as_of
    for kind, ids in task.retracted:
        named = retracted_ids(kind, ids, delivery.source, tonight.pseudonyms)
        tonight.retracted.append((kind, delivery.source.name, named, exported_at))
    if taken.births:
        tonight.births.append(pl.concat(taken.births).with_columns(born_at_export=pl.lit(exported_at)))
    known_count = _pass_known_lines(tonight, delivery, taken)
    facts = {
        **_identity(tonight, delivery),
        "exported_at": exported_at,
        "rereads_at": task.rereads_at,
        "is_passed_over": False,
        "record_count": opened.record_count + opened.header_count,
        "header_count": opened.header_count,
        "blank_or_footer_count": opened.blank_count,
        "unchanged_count": known_count,
        "known_count": known_count,
        "ambiguous_time_count": task.clock_changes["ambiguous"],
        "missing_time_count": task.clock_changes["missing"],
    }
    tonight.staging.add_file(delivery.number, facts)
    for column, count in task.unlisted.items():
        if count:
            row = {"load_id": tonight.load_id, "file_id": delivery.file_id, "column_name": column}
            staged_rows.enter(tonight.con, "load.unlisted", {**row, "unlisted_count": count})


def _pass_known_lines(tonight: Tonight, delivery: Delivery, taken: Taken) -> int:
    """Show the records of the lines that need not be read, and count what they count; how many lines hold records."""
    if taken.met is None:
        return 0
    taken.task.count_again(taken.met["counted"].drop_nulls())
    lines = taken.opened.lines
    tonight.by_line.append(ReadByLine(delivery, lines, taken.task, taken.left_out, taken.met))
    risks = lines.numbered(taken.met.filter(pl.col("records") == RISKS))
    return show(tonight.con, delivery.number, taken.met, risks)


def _identity(tonight: Tonight, delivery: Delivery) -> dict[str, object]:
    return {
        "load_id": tonight.load_id,
        "file_id": delivery.file_id,
        "source": delivery.source.name,
        "pattern": delivery.source.files,
        "name_id": delivery.name_id,
        "content": delivery.content,
        "byte_count": delivery.byte_count,
        "modified": delivery.modified,
        "reading": delivery.reading,
        "rules": delivery.rules,
        "covers": delivery.source.covers,
    }


def _pass_over(tonight: Tonight, delivery: Delivery) -> None:
    """The source's latest bytes again, under another name: nothing to parse, but it was still true then."""
    exported_at = delivery.exported_at or tonight.order.as_of
    for confirm in (record_versions.confirm_file, risk_answers.confirm_file, quarantine.confirm_file):
        confirm(tonight.con, delivery.same_as, delivery.file_id, exported_at)
    facts = {**_identity(tonight, delivery), "exported_at": exported_at, "is_passed_over": True}
    tonight.staging.add_file(delivery.number, {**facts, **ledger.repeated(tonight.con, delivery.same_as)})
