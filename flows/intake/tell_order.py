"""Sentences about files of one source that say different things about one record."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.flows.delivery import label
from rapport.flows.workbench import Workbench
from rapport.warehouse.clinic_file.sources import DIRECTIVES, Source
from rapport.warehouse.intake.contradictions import Contradiction, contradictions, of_one_export_time


def tell_order(bench: Workbench) -> Iterator[str]:
    """A sentence for each pair of files that contradict each other. Tonight's rows are staged and checked."""
    sources = {source.name: source for source in bench.order.clinic.sources}
    for each in contradictions(bench.con):
        yield (
            f"{_both(sources, each)} came at the same time and say different things of {each.record_count:,} records: "
            "these are held back (conflicting_duplicate); export them again: a newer export decides"
        )
    for each in of_one_export_time(bench.con, [name for name, source in sources.items() if _says_when(source)]):
        yield (
            f"{_both(sources, each)} have the same time of export and say different things of {each.record_count:,} "
            "records; the one with the newer file time, named first, counts: remove the other one, or give the names "
            "of exports the time of day"
        )


def _both(sources: dict[str, Source], each: Contradiction) -> str:
    files = sources[each.source].files
    return f"source {each.source}: {label(each.file_id, files)} and {label(each.other_id, files)}"


def _says_when(source: Source) -> bool:
    """Whether the exports of a source say when they were made."""
    return source.exported_at is not None or any(directive in source.files for directive in DIRECTIVES)
