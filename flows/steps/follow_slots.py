"""Identity over time. Slots that moved to another client follow; probable moves and probable repeats are told, and
visits on several lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rapport.flows.workbench import Workbench
from rapport.warehouse.history.moved_slots import coming_moves, move_slots, note_shared, probable_moves
from rapport.warehouse.history.probable_repeats import probable_repeats
from rapport.warehouse.history.repeated_starts import held_lines, repeated_starts, starts_with_several_ends


def follow_slots(bench: Workbench) -> Iterator[str]:
    """Give tonight's moved slots to their new clients. Return a sentence for each source with probable moves."""
    note_shared(bench.con, bench.load_id)
    move_slots(bench.con, bench.load_id, _one_client(bench))
    yield from _told(_by_source(bench, bench.load_id))


def moves_to_come(bench: Workbench) -> Iterator[str]:
    """For a check: a sentence for each source with probable moves, in the warehouse or in tonight's files."""
    note_shared(bench.con, bench.load_id)
    counts = _by_source(bench)
    for source, count in coming_moves(bench.con, _one_client(bench)):
        counts[source] += count
    yield from _told(counts)


def _one_client(bench: Workbench) -> list[str]:
    return [each.name for each in bench.order.clinic.sources if each.appointment_ids == "one_client"]


def _by_source(bench: Workbench, load_id: int | None = None) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in probable_moves(bench.con, load_id):
        counts[each.source] += each.slot_count
    return counts


def _told(counts: Counter[str]) -> Iterator[str]:
    for source, count in sorted(counts.items()):
        yield (
            f"{count:,} appointments of the source {source} came under another client than before, with their start "
            "and therapist: probable moves, and both stay. Where each export is whole, write covers = 'all' in the "
            "section; where an id is never of two clients, appointment_ids = 'one_client'; where the practice system "
            "merged two clients, name them in merged_clients"
        )


def tell_repeats(bench: Workbench) -> Iterator[str]:
    """A sentence for each source whose newest export lacks records and has a new one in the place of each."""
    for source, kind, count in probable_repeats(bench.con, bench.load_id):
        yield (
            f"{count:,} {kind} that the source {source} brought before are not in its newest export, and a new one is "
            "in the place of each: probable repeats (an edited row, a renamed record, a moved booking); both count. "
            "Where each export is whole, write covers = 'all' in the section: then the new ones replace them"
        )


def tell_held_lines(bench: Workbench) -> Iterator[str]:
    """A sentence for each source with lines that are held, and are probably of one visit."""
    for source, count in held_lines(bench.con):
        yield (
            f"{count:,} appointments of the source {source} stand on lines that differ in therapist or service alone, "
            f"and are held; where a visit has several lines, write lines = 'visits' in [sources.{source}]"
        )


def tell_repeated_starts(bench: Workbench) -> Iterator[str]:
    """A sentence for each source whose lines count as several sessions at one start."""
    con, visit_sources = bench.con, bench.order.clinic.visit_sources
    load_id = None if bench.order.is_check else bench.load_id
    for source, count in repeated_starts(con, load_id, visit_sources):
        yield (
            f"{count:,} starts of the source {source} have one client twice with one therapist, attended: each line "
            f"counts as a session; where a visit has several lines, write lines = 'visits' in [sources.{source}]"
        )
    for source, count in starts_with_several_ends(con, load_id, visit_sources):
        yield (
            f"{count:,} starts of the source {source} have attended lines with different ends: each end counts as a "
            "session; correct them in the practice system, or leave out the column of the end or the duration"
        )
