"""Whose record numbers a draft says a survey has: the practice's only where its clients are known there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import polars as pl

from rapport.transforms.sources.drafting.toml_lines import written
from rapport.warehouse.clinic_file.identifiers import identified

LEAST = 3  # numbers, before 1, 2, 3 ... are called automatic
Space = tuple[str, frozenset[str]]  # a section's id space, and the numbers of its clients that were looked at


def numbers_of(texts: pl.Series) -> frozenset[str]:
    """The numbers in a column of clients."""
    return frozenset(identified(texts).ids.drop_nulls())


def are_automatic(numbers: Collection[str]) -> bool:
    """Whether they are 1 to N without a gap, as a survey tool numbers its records by itself."""
    return len(numbers) >= LEAST and set(numbers) == {str(number) for number in range(1, len(numbers) + 1)}


def space_lines(name: str, own: frozenset[str], others: Iterable[Space]) -> Iterator[str]:
    """The lines of a survey's section, and why they say so. `others`: the sections with appointments."""
    space, known = max(others, key=lambda each: len(own & each[1]), default=("", frozenset()))
    met = f"{len(own & known):,} of its {len(own):,} clients that were looked at are known there"
    if are_automatic(own):
        yield f"# ? its numbers are 1 to {len(own):,} as automatic ones are: they match others by chance. Take the"
        yield "# column with the practice's own number for client_id if there is one, and then its id_space"
        yield f"id_space = {written(name)}"
    elif own and 2 * len(own & known) >= len(own):
        yield f"id_space = {written(space)}  # ? {met}"
    else:
        other = f"; or {written(space)}: {met}" if space and own else ""
        yield f"id_space = {written(name)}  # ? numbers of its own{other}"
