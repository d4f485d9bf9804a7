"""A problem of a file; problems of several columns with one mend as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Problem:
    """What is wrong in a column of a file, how often, what it looks like, and what to do."""

    column: str  # as clinic.toml names it, or a canonical name; "" of the whole file
    code: str
    told: str
    say: str = ""
    held: frozenset[int] = frozenset()  # numbers of the records that a night would hold back for it
    share: tuple[int, int] | None = None  # values that could not be read, of how many
    stops: bool = False

    @property
    def sentence(self) -> str:
        """What is told, with the share of the values."""
        return f"{self.share[0]:,} of {self.share[1]:,} {self.told}" if self.share else self.told


def counted(count: int, noun: str) -> str:
    """A number with its noun: 1 record, 2 records."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def together(problems: Iterable[Problem]) -> list[Problem]:
    """The problems; those of one kind with one mend in several columns, such as a questionnaire's items, as one."""
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for each in problems:
        is_of_cells = each.share is not None and each.say
        groups.setdefault((each.code, each.say) if is_of_cells else (each.code, each.told, each.column), []).append(
            each
        )
    return [_joined(group) for group in groups.values()]


def _joined(group: Sequence[Problem]) -> Problem:
    first = group[0]
    columns = list(dict.fromkeys(each.column for each in group))
    column = ", ".join(columns) if len(columns) <= 2 else f"{columns[0]} to {columns[-1]}"
    shares = [each.share for each in group if each.share]
    share = (sum(wrong for wrong, _ in shares), sum(of for _, of in shares)) if shares else None
    held: frozenset[int] = frozenset().union(*(each.held for each in group))
    return replace(first, column=column, held=held, share=share)
