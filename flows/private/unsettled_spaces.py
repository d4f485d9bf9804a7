"""Refuses a clinic file that does not say enough about an id space, before a load begins, with the lines to write."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from rapport.flows.private.crosswalk import numbers_of
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.contradicting_spaces import line_of
from rapport.warehouse.errors import Unusable
from rapport.warehouse.intake.space_book import Used


def refuse_unsettled(clinic: Clinic, used: Collection[Used], people: pl.DataFrame) -> None:
    """Raise Unusable where a name belongs to another space in the books, or where a known space is in no section."""
    spaces = clinic.spaces
    firsts = {each.first_name: each.first_name for each in used} | {each.id_space: each.first_name for each in used}
    for name in spaces.names:
        if firsts.get(name, spaces.first_name(name)) != spaces.first_name(name):
            raise Unusable(_other_name(clinic, name, firsts[name]))
    if given_up := {each.first_name: each.id_space for each in used if each.first_name not in spaces.settled}:
        first, name = min(given_up.items())
        raise Unusable(_given_up(clinic, name, first, used, people, sorted(set(given_up.values()) - {name})))
    _refuse_half_renamed(clinic, used)


def _refuse_half_renamed(clinic: Clinic, used: Collection[Used]) -> None:
    """Raise Unusable for a new name in one section and the old name in another: each person would become two."""
    spaces = clinic.spaces
    known_spaces = {each.first_name for each in used}
    in_use = {spaces.first_name(name) for name in spaces.used}
    had = {each.source: each for each in used if each.left_by is None and each.first_name in in_use}
    for source in clinic.sources:
        is_new = spaces.first_name(source.id_space) not in known_spaces
        if is_new and source.name in had and source.id_space not in spaces.with_new_numbers:
            before = had[source.name].id_space
            raise Unusable(
                f"the source {source.name} has the id space '{source.id_space}', which is new, and other sections have "
                f"'{before}' still, which it had. Write in [spaces] {line_of(source.id_space, 'new_numbers', True)} if "
                "its numbers are other people's; or, if it is a new name, give it to all of these sections and write "
                f"{line_of(source.id_space, 'was', before)}"
            )


def _other_name(clinic: Clinic, name: str, first: str) -> str:
    """The sentence about a name whose pseudonyms would be made with another first name than before."""
    now, right = clinic.spaces.first_name(name), line_of(name, "was", first)
    if now == name:
        return (
            f"the id space '{name}' has the people of '{first}', and clinic.toml says so no more; write in [spaces]: "
            f"{right}"
        )
    before = clinic.spaces.was[name]
    if first == name:
        return (
            f"[spaces] of clinic.toml says {line_of(name, 'was', before)}, and '{name}' has people of its own. If "
            f"equal numbers of the two are one person, write in its place {line_of(before, 'same_as', name)}; else "
            "give the sections a name that no id space had"
        )
    return f"by [spaces] of clinic.toml '{name}' was '{now}' first, and by the books '{first}'; write there: {right}"


def _given_up(
    clinic: Clinic, name: str, first: str, used: Iterable[Used], people: pl.DataFrame, more: Collection[str]
) -> str:
    known_spaces = {each.first_name for each in used}
    others = _in_its_place(clinic, first, used, known_spaces)
    ways = [way_of(clinic, name, first, other, known_spaces, people) for other in others]
    ways += [] if others else [f"{line_of('NEW', 'was', name)} if it has a new name"]
    and_more = f". Then the same of {', '.join(map(repr, more))}" if more else ""
    return (
        f"no section of clinic.toml has the id space '{name}' any more, which has {len(numbers_of(people, first)):,} "
        f"clients. Write in [spaces] {', or '.join(ways)}; or, if nothing comes from it any more, beside time_zone "
        f'retired_spaces = ["{name}"]{and_more}'
    )


def _in_its_place(clinic: Clinic, first: str, used: Iterable[Used], known_spaces: Collection[str]) -> list[str]:
    """The spaces that may replace this space: those of its sections now, or new spaces where its sections are gone."""
    had_it = {each.source for each in used if each.first_name == first}
    now = dict.fromkeys(source.id_space for source in clinic.sources if source.name in had_it)
    return list(now) or [name for name in clinic.spaces.used if clinic.spaces.first_name(name) not in known_spaces]


def way_of(
    clinic: Clinic, name: str, first: str, other: str, known_spaces: Collection[str], people: pl.DataFrame
) -> str:
    """The line to write where two spaces have the same numbers, with the count of numbers known in both."""
    to = clinic.spaces.first_name(other)
    known = numbers_of(people, first)
    shared = len(known & numbers_of(people, to))
    is_known = shared or to in known_spaces
    met = f" ({shared:,} of its {len(known):,} numbers are known in '{other}' too)" if is_known else ""
    if to in known_spaces:
        return f"{line_of(name, 'same_as', other)} if its numbers are those of '{other}'{met}"
    return f"{line_of(other, 'was', name)} if '{other}' is its new name{met}"
