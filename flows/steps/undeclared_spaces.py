"""Surveys and forms whose sections have no id_space.

A wrong id space makes two people of one, or one of two, and no figure shows it. So a new section without id_space is
refused, with the number of matches for each choice. A section that was loaded before keeps its space, and the night
prints the line to add.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.flows.private.crosswalk import numbers_of
from rapport.flows.steps.discover import Found
from rapport.flows.workbench import Workbench
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.drafting.id_spaces import are_automatic
from rapport.transforms.sources.drafting.toml_lines import written
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused, Unusable


def settled_undeclared(bench: Workbench, found: Found) -> list[str]:
    """A sentence for each section that was loaded before and has no id_space. Raises Unusable for new sections."""
    undeclared = [each for each in bench.order.clinic.sources if each.must_name_its_space]
    loaded = {each.source for each in bench.spaces_used}
    if new := [each for each in undeclared if each.name not in loaded]:
        raise Unusable("; ".join(_asked(bench, found, source) for source in new))
    return [
        f"the source {source.name} does not say whose record numbers it has, and keeps the id space that it was loaded "
        f"under; add to its section {_line(source.id_space)}"
        for source in undeclared
    ]


def _line(space: str) -> str:
    return f"id_space = {written(space)}"


def _asked(bench: Workbench, found: Found, source: Source) -> str:
    """The lines to choose from for a section, and the matches of each."""
    own = _numbers(bench, found, source)
    ways = [f"{_line(space)} if they are those of {whose}" for space, whose in _others(bench, found, source, own)]
    ways.append(f"{_line(_own_name(bench, source))} if they are numbers of its own, which meet nobody")
    return (
        f"[sources.{source.name}] does not say whose numbers its clients have; add {', or '.join(ways)}{_warned(own)}"
    )


def _own_name(bench: Workbench, source: Source) -> str:
    """A name that is no other section's space."""
    taken = {each.id_space for each in bench.order.clinic.sources if each.name != source.name}
    return source.name if source.name not in taken else f"{source.name} clients"


def _others(bench: Workbench, found: Found, source: Source, own: set[str] | None) -> Iterator[tuple[str, str]]:
    """The id spaces of the other sections, with their sections and the count of the source's clients known there."""
    sections: dict[str, list[Source]] = {}
    for each in bench.order.clinic.sources:
        if each.name != source.name and not each.must_name_its_space:
            sections.setdefault(each.id_space, []).append(each)
    for space, having in sections.items():
        whose = ", ".join(each.name for each in having)
        yield space, f"{whose} ({_told(own, _known(bench, found, space, having))})"


def _known(bench: Workbench, found: Found, space: str, having: list[Source]) -> set[str] | None:
    """The numbers of a space's clients, with those of tonight's files; None where a file cannot be read."""
    known = numbers_of(bench.crosswalk, bench.order.clinic.spaces.counts_as(space))
    for each in having:
        numbers = _numbers(bench, found, each)
        if numbers is None:
            return None
        known |= numbers
    return known


def _told(own: set[str] | None, known: set[str] | None) -> str:
    if own is None or known is None:
        return "not counted: a file cannot be read"
    return f"{len(own & known):,} of its {len(own):,} clients are known there"


def _warned(own: set[str] | None) -> str:
    if own and are_automatic(own):
        return f". Its numbers are 1 to {len(own):,} without a gap, as automatic ones are: those match others by chance"
    return ""


def _numbers(bench: Workbench, found: Found, source: Source) -> set[str] | None:
    """The numbers of the clients in a source's files of tonight; None where a file cannot be read."""
    clinic = bench.order.clinic
    numbers: set[str] = set()
    for delivery in found.deliveries:
        if delivery.source.name == source.name:
            tallies = Tallies(bench.order.as_of, clinic.lists, clinic.instruments, made_at=delivery.exported_at)
            try:
                for _, frame in read(open_delivery(delivery.path, source), source, tallies):
                    numbers.update(frame["client_id"].unique().drop_nulls())
            except (Refused, pl.exceptions.PolarsError):
                return None
    return numbers
