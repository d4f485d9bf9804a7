"""Reading: each delivery is read, pseudonymised, staged and entered in the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import polars as pl

from rapport.flows.delivery import Delivery
from rapport.flows.intake.compare_columns import Columns, held_back
from rapport.flows.private.kept_out import KeptOut
from rapport.flows.private.look_alikes import new_look_alikes
from rapport.flows.private.tombstones import set_tombstones
from rapport.flows.steps.discover import Found
from rapport.flows.steps.former_texts import stage_former_texts
from rapport.flows.steps.join_clients import follow_links, join_clients
from rapport.flows.steps.remembered_lines import ReadByLine, ways_by_line
from rapport.flows.steps.settle_spaces import former_spaces, same_spaces, tell_moved
from rapport.flows.steps.undeclared_spaces import settled_undeclared
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import former_record_ids, pseudonymise, retracted_ids
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.pages import Pages, together
from rapport.transforms.sources.opening.shape import RECORD
from rapport.transforms.sources.speed.line_by_line import NotByLine
from rapport.warehouse.errors import Refused, escaped
from rapport.warehouse.history import erase, former_ids, record_versions, risk_answers
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.intake import ledger, quarantine, staged_rows
from rapport.warehouse.intake.unchanged_lines import RISKS, enter_known_lines, is_contradicted


class Retracted(NamedTuple):
    """Records that an export marks as deleted."""

    kind: str
    source: str
    ids: pl.DataFrame  # id
    file_number: int


@dataclass(frozen=True)
class Read:
    """The result of reading tonight's files. Their rows are staged."""

    bench: Workbench  # after the client links of the clinic file are applied
    waiting: tuple[str, ...]  # names of files that were written to while they were read
    retracted: tuple[Retracted, ...]
    births: tuple[pl.DataFrame, ...]
    by_line: tuple[ReadByLine, ...]  # whole exports that were read line by line
    troubles: tuple[str, ...]  # sentences about id spaces and files
    row_count: int


@dataclass(frozen=True)
class _Reading:
    """Facts that are collected while the files are read one after the other."""

    bench: Workbench
    deliveries: Sequence[Delivery]
    kept_out: KeptOut
    columns: Columns
    waiting: list[str] = field(default_factory=list)
    retracted: list[Retracted] = field(default_factory=list)
    births: list[pl.DataFrame] = field(default_factory=list)
    by_line: list[ReadByLine] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # sentences about files
    exports: list[tuple[Delivery, Export]] = field(default_factory=list)  # with pages of an interface's answer
    held_back: list[str] = field(default_factory=list)  # sentences about files that lack a column


def read_deliveries(bench: Workbench, found: Found) -> Read:
    """Read every file, pseudonymise its rows and stage them. Raises Refused, which names the file."""
    kept_spaces = settled_undeclared(bench, found)
    bench = join_clients(bench)
    reading = _Reading(bench, found.deliveries, KeptOut(bench), Columns(bench))
    for delivery in found.deliveries:
        bench.progress(f"reading {delivery.label}")
        try:
            _read(reading, delivery)
        except Refused as refused:
            raise refused.of(delivery.label, delivery.path.name) from None
    reading.columns.keep()
    bench = _with_tombstones(_leave_out_undated(reading), reading.kept_out.by_text)
    former_ids.follow(bench.con, bench.load_id)
    return Read(
        # People who were taken out under a former id space have no tombstone of their own. They leave the crosswalk.
        bench=replace(
            bench,
            tombstones=bench.tombstones.widened(reading.kept_out.old),
            damaged=(*bench.damaged, *reading.held_back),
        ),
        waiting=tuple(reading.waiting),
        retracted=tuple(reading.retracted),
        births=tuple(reading.births),
        by_line=tuple(reading.by_line),
        troubles=(
            *kept_spaces,
            *new_look_alikes(bench),
            *tell_moved(bench),
            *reading.kept_out.sentences,
            *reading.told,
            *_missing_pages(reading),
        ),
        row_count=bench.staging.row_count,
    )


def _with_tombstones(bench: Workbench, people: Mapping[str, ErasedDays]) -> Workbench:
    """Whoever was taken out by another text of their number has a tombstone by this one too, from tonight on."""
    if people and not bench.order.is_check:
        set_tombstones(bench.order.folders, people)
    return replace(bench, tombstones=bench.tombstones.widened(people))


def _leave_out_undated(reading: _Reading) -> Workbench:
    """Leave out the undated rows (a client's row, an undated answer) of people with an erasure up to a day. This is for
    people without any later record, known or new tonight: their undated rows belong to the erased time."""
    bench, con = reading.bench, reading.bench.con
    buried = bench.tombstones.among(staged_rows.people(con)) if bench.tombstones.days else {}
    suspected = {person for person, days in {**buried, **reading.kept_out.old}.items() if days.until}
    if suspected:
        suspected = suspected.difference(erase.known_people(con))
    if not suspected:
        return bench
    left_out = staged_rows.drop_undated(con, suspected)
    bench, _ = follow_links(bench)  # the links of people who are known again from tonight on
    for each in reading.by_line:
        each.left_out.append(left_out.filter(file_number=each.delivery.number)["record_number"])
    return bench


@dataclass
class Taken:
    """The facts of a delivery that was read. Its rows are staged."""

    export: Export
    tallies: Tallies
    births: list[pl.DataFrame] = field(default_factory=list)
    left_out: list[pl.Series] = field(default_factory=list)  # record numbers of people who may not be read
    met: pl.DataFrame | None = None  # facts of known lines that were not read; None for a file not read line by line


def _read(reading: _Reading, delivery: Delivery) -> None:
    if delivery.same_as:
        _pass_over(reading.bench, delivery, delivery.same_as)
        return
    taken = _taken(reading, delivery)
    if not delivery.is_unmoved:
        reading.bench.staging.drop_file(delivery.number)
        reading.waiting.append(escaped(delivery.path.name))
        return
    if taken.export.vanished:
        reading.bench.staging.drop_file(delivery.number)
        reading.held_back.append(held_back(delivery, taken.export))
        return
    _enter(reading, delivery, taken)


def _taken(reading: _Reading, delivery: Delivery) -> Taken:
    """Stage a file's rows. In an export that covers everything, only unknown lines are read, where that is possible."""
    export = open_delivery(delivery.path, delivery.source)
    for lines in ways_by_line(reading.bench, reading.deliveries, delivery, export):
        export.lines = lines
        try:
            return _take(reading, delivery, export)
        except NotByLine:
            reading.bench.staging.drop_file(delivery.number)
            export = open_delivery(delivery.path, delivery.source)
    return _take(reading, delivery, export)


def _take(reading: _Reading, delivery: Delivery, export: Export) -> Taken:
    """Read every row of a file, pseudonymise it and stage it. Raises NotByLine for a file that cannot be read line by
    line."""
    bench, clinic = reading.bench, reading.bench.order.clinic
    tallies = Tallies(
        bench.order.as_of,
        clinic.lists,
        clinic.instruments,
        made_at=delivery.exported_at,
        years_back=clinic.record_years_back,
        years_ahead=clinic.record_years_ahead,
    )
    taken = Taken(export, tallies)
    export.used_before = reading.columns.used_before(delivery)
    for kind, given in read(export, delivery.source, tallies):
        frame = reading.kept_out.without(delivery.source, kind, given, tallies.former_texts.get("client", ()))
        safe = pseudonymise(kind, frame, delivery.source, bench.pseudonyms)
        if kind == "clients":
            born = safe.select("client_id").with_columns(frame["birth_date"])
            named = pl.col("client_id").bin.encode("hex").alias("pseudonym")
            taken.births.append(bench.tombstones.without(kind, born).select(named, "birth_date"))
        _stage_former_ids(bench, delivery, kind, frame, safe)
        stage_former_texts(bench, delivery.source, kind, frame, safe["client_id"], tallies.former_texts)
        may_be_read = bench.tombstones.without(kind, safe)
        if may_be_read.height < given.height:
            taken.left_out.append(given.join(may_be_read, on=RECORD, how="anti")[RECORD])
        bench.staging.add_rows(kind, may_be_read, delivery.number)
    if export.lines:
        taken.met = export.lines.met_again()
        if is_contradicted(bench.con, delivery.number, taken.met):
            raise NotByLine
    return taken


def _stage_former_ids(bench: Workbench, delivery: Delivery, kind: str, frame: pl.DataFrame, safe: pl.DataFrame) -> None:
    """Stage the ids that the records had under a former id space that is the same as the present one."""
    former = {*former_spaces(bench, delivery.source)} & {*same_spaces(bench, delivery.source)}
    if former:
        ids = former_record_ids(kind, frame, safe["client_id"], delivery.source, sorted(former), bench.pseudonyms)
        former_ids.stage(bench.con, delivery.source.name, kind, ids)


def _enter(reading: _Reading, delivery: Delivery, taken: Taken) -> None:
    """Enter a file in the books, and collect its retracted records and birth dates."""
    bench, export, tallies = reading.bench, taken.export, taken.tallies
    exported_at = min(delivery.exported_at or tallies.exported_at or bench.order.as_of, bench.order.as_of)
    said = (*export.told, *tallies.told)
    reading.told.extend(f"source {delivery.source.name}: {delivery.label} {what}" for what in said)
    reading.told.extend(reading.columns.note(delivery, export, exported_at))
    if export.pages != Pages():
        reading.exports.append((delivery, export))
    for kind, ids in tallies.retracted:
        named = retracted_ids(kind, ids, delivery.source, bench.pseudonyms)
        reading.retracted.append(Retracted(kind, delivery.source.name, named, delivery.number))
    if taken.births:
        reading.births.append(pl.concat(taken.births).with_columns(born_at_export=pl.lit(exported_at)))
    known_count = _pass_known_lines(reading, delivery, taken)
    facts = {
        **_identity(bench, delivery),
        # What one page of several leaves out stands on the others: it has not vanished.
        **({"covers": None} if export.pages.is_short(export.record_count) else {}),
        "exported_at": exported_at,
        "rereads_at": tallies.rereads_at,
        "is_passed_over": False,
        "record_count": export.record_count + export.header_count,
        "header_count": export.header_count,
        "blank_or_footer_count": export.blank_count,
        "unchanged_count": known_count,
        "known_count": known_count,
        "ambiguous_time_count": tallies.clock_changes["ambiguous"],
        "missing_time_count": tallies.clock_changes["missing"],
    }
    bench.staging.add_file(delivery.number, facts)
    for column, count in tallies.unlisted.items():
        if count:
            row = {"load_id": bench.load_id, "file_id": delivery.file_id, "column_name": column}
            staged_rows.enter(bench.con, "load.unlisted", {**row, "unlisted_count": count})


def _missing_pages(reading: _Reading) -> Iterator[str]:
    """A sentence for each source of which tonight's files are pages, and not all of them."""
    sources = {delivery.source.name: delivery.label for delivery, _ in reading.exports}
    for name, label in sources.items():
        exports = [export for delivery, export in reading.exports if delivery.source.name == name]
        whole, count = together(export.pages for export in exports), sum(export.record_count for export in exports)
        if whole.is_short(count):
            of = f" of {whole.total:,}" if whole.total else ""
            yield (
                f"source {name}: {label} is a page of several ({count:,}{of} records), and the next page is not among "
                "tonight's files; it was read, and it is not the whole: export all pages"
            )


def _pass_known_lines(reading: _Reading, delivery: Delivery, taken: Taken) -> int:
    """Mark the records of known lines as present, and add their counts. Return how many lines have records."""
    lines = taken.export.lines
    if taken.met is None or lines is None:
        return 0
    taken.tallies.count_again(taken.met["counted"].drop_nulls())
    reading.by_line.append(ReadByLine(delivery, lines, taken.tallies, taken.left_out, taken.met))
    risks = lines.numbered(taken.met.filter(pl.col("records") == RISKS))
    return enter_known_lines(reading.bench.con, delivery.number, taken.met, risks)


def _identity(bench: Workbench, delivery: Delivery) -> dict[str, object]:
    return {
        "load_id": bench.load_id,
        "file_id": delivery.file_id,
        "source": delivery.source.name,
        "pattern": delivery.source.files,
        "name_id": delivery.name_id,
        "content": delivery.content,
        "byte_count": delivery.byte_count,
        "modified": delivery.modified,
        "first_modified": delivery.first_modified,
        "first_load_id": delivery.first_load_id,
        "reading": delivery.reading,
        "rules": delivery.rules,
        "covers": delivery.source.covers,
    }


def _pass_over(bench: Workbench, delivery: Delivery, same_as: str) -> None:
    """Confirm the records of a file whose content equals the source's latest delivery (`same_as`). It is not parsed."""
    exported_at = delivery.exported_at or bench.order.as_of
    for confirm in (record_versions.confirm_file, risk_answers.confirm_file, quarantine.confirm_file):
        confirm(bench.con, same_as, delivery.file_id, exported_at)
    facts = {**_identity(bench, delivery), "exported_at": exported_at, "is_passed_over": True}
    bench.staging.add_file(delivery.number, {**facts, **ledger.facts_of_repeat(bench.con, same_as)})
