"""An attacker on the safe file: what all its tables say together, in two publications, as sums over whole numbers.

Knows every question's contract, the profile and its rounding, and of each hidden count whether it is few. Every count
and every complement is an unknown, bounded by what is shown; parts and filters add up; a count that in truth only grows
is known to; and what two tables have in common by their definitions (COMMON) is the same. The targets are the few:
counts, complements, all but one of a sum's parts, those lost between two steps of a curve, and what came in between the
publications. `broken` names those for which one whole number is left.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from rapport.dashboards.questions import Question
from rapport.warehouse.clinic_file.hiding import Profile
from rapport.warehouse.schema.questions import ALL

FAR = 1e6
Sum = dict[int, int]
# Two sides that come to the same under each filter: (question, column, which rows), summed over the other keys.
COMMON = (
    (
        [("dropout_definitions", "assessed_count", {"definition": "below dose"})],
        [("staying_past_four", "known_count", {})],
    ),
    (
        [("dropout_definitions", "dropout_count", {"definition": "below dose"})],
        [("staying_past_four", "not stayed_count", {})],
    ),
    ([("missed_by_hour", "booked_count", {})], [("attendance_by_month", "booked_count", {})]),
    (
        [("missed_by_hour", "missed_count", {})],
        [("attendance_by_month", "no_show_count", {}), ("attendance_by_month", "late_cancel_count", {})],
    ),
    *(
        (
            [("reliable_outcomes_by_quarter", "assessed_count", {"measure": "improved", "quarter": quarter} | who)],
            [("reliable_outcomes_by_quarter", "assessed_count", {"measure": "deteriorated", "quarter": quarter} | who)],
        )
        for quarter in (f"{year}-Q{at}" for year in (2024, 2025, 2026) for at in (1, 2, 3, 4))
        for who in ({"instrument": name, "rater": "client"} for name in ("ors", "phq9", "gad7"))
    ),
)


@dataclass
class Publication:
    """A question's table as published, and what is true of it (which no attacker has)."""

    shown: pl.DataFrame
    truth: pl.DataFrame


@dataclass
class Attack:
    """Unknowns with bounds, sums between two ends, and targets. `is_exact`: counts are published as they are.

    A cell is (question, publication 0 or 1, column, its keys' values).
    """

    profile: Profile
    is_exact: bool = False
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    sums: list[tuple[Sum, float, float]] = field(default_factory=list)
    targets: list[tuple[str, Sum]] = field(default_factory=list)
    cells: dict[tuple, int] = field(default_factory=dict)
    tables: dict[str, tuple[Question, dict[int, dict]]] = field(default_factory=dict)

    def see(self, asked: Question, at: int, publication: Publication) -> None:
        """Take a table in."""
        contract, keys = asked.disclosure, list(asked.disclosure.keys)
        truth, rows = (_by_place(frame, keys) for frame in (publication.truth, publication.shown))
        self.tables.setdefault(asked.name, (asked, {}))[1][at] = {place: {} for place in rows} | truth
        for place, row in rows.items():
            self._enter(asked, at, place, row, truth.get(place, {}))
        for name in asked.filters:
            has_all = set(publication.truth[name]) == set(publication.shown[name])
            self._add_up(asked, at, name, rows, has_all)
        if contract.shared_out:
            self._share_out(asked, at, keys.index(contract.shared_out), rows)
        if contract.curve:
            self._follow(asked, at, keys.index(contract.along), rows)

    def compare(self) -> None:
        """Set the second publication beside the first."""
        both = defaultdict(list)
        for (asked, at, column, place), cell in self.cells.items():
            if at and (before := self.cells.get((asked, 0, column, place))) is not None:
                both[asked, column].append((cell, before))
        for name, pairs in both.items():
            grows = all(self.true[after] >= self.true[before] for after, before in pairs)
            for after, before in pairs:
                if grows:
                    self._sum({after: 1, before: -1}, 0, FAR)
                self._aim(f"{name} since", {after: 1, before: -1}, least=1)

    def join(self) -> int:
        """What two tables have in common by their definitions, under each filter; how many such sums there are."""
        before = len(self.sums)
        for sides in COMMON:
            one, other = (self._series(side) for side in sides)
            for where in one.keys() & other.keys():
                what = _added([one[where][0], {cell: -by for cell, by in other[where][0].items()}])
                rest = one[where][1] - self._value(one[where][0]), other[where][1] - self._value(other[where][0])
                if what:
                    self._sum(what, -FAR if rest[0] else 0, FAR if rest[1] else 0)
        return len(self.sums) - before

    def _series(self, side: Sequence[tuple[str, str, Mapping]]) -> dict[tuple, tuple[Sum, int]]:
        """A side of what two tables have in common: by publication and filter, the cells, and what they come to."""
        found: dict[tuple, tuple[Sum, int]] = {}
        for question, column, fixed in (each for each in side if each[0] in self.tables):
            asked, truths = self.tables[question]
            keys, whole = asked.disclosure.keys, asked.disclosure.parts.get(column[4:], {}).get("of")
            for at, place in {(at, place) for at, rows in truths.items() for place in rows}:
                told = dict(zip(keys, place, strict=True))
                if fixed.items() <= told.items():
                    row = truths[at][place]
                    where = (at, *(told[key] for key in asked.filters))
                    cells, total = found.get(where, ({}, 0))
                    cell = self.cells.get((question, at, column, place))
                    value = row.get(whole, 0) - row.get(column[4:], 0) if whole else row.get(column, 0)
                    found[where] = (cells if cell is None else cells | {cell: 1}, total + value)
        return found

    def _enter(self, asked: Question, at: int, place: tuple, row: dict, true: dict) -> None:
        contract, least = asked.disclosure, self.profile.least
        for name in (*_counts(asked), *contract.parts):
            value = true.get(name, 0)
            self._unknown((asked.name, at, name, place), *self._bounds(row[name], value), value)
        for name, part in contract.parts.items():
            whole, count = (self.cells[asked.name, at, each, place] for each in (part["of"], name))
            rest, what = self.true[whole] - self.true[count], (asked.name, at, f"not {name}", place)
            low = least if row[name] is not None and not self.is_exact else 0
            self._unknown(what, low, FAR if rest >= least else least - 1, rest)
            self._sum({whole: 1, count: -1, self.cells[what]: -1})
            if row[name] is None and max(self.true[count], rest) < least:
                self._either(count, self.cells[what])
        if contract.exhaustive:
            parts = {self.cells[asked.name, at, name, place]: 1 for name in contract.parts}
            self._sum({self.cells[asked.name, at, contract.counts[0], place]: -1} | parts)

    def _either(self, one: int, other: int) -> None:
        """A part is hidden when it or its complement is few: that both are is not to be seen."""
        self.high[one] = self.high[other] = most = 3 * self.profile.least
        self.true.append(0)
        self.low.append(0)
        self.high.append(1)
        switch, few = len(self.true) - 1, self.profile.least - 1
        self._sum({one: 1, switch: few - most}, -FAR, few)
        self._sum({other: 1, switch: most - few}, -FAR, most)

    def _bounds(self, shown: int | None, true: int) -> tuple[float, float]:
        if shown is None:
            return 0, self.profile.least - 1 if true < self.profile.least else FAR
        if self.is_exact or shown == 0:
            return shown, shown
        return (self.profile.least if shown == self.profile.lowest_shown else shown - 2), shown + 2

    def _unknown(self, what: tuple, low: float, high: float, true: int) -> None:
        assert low <= true <= high, f"the attacker believes what is not so of {what}"
        self.cells[what] = len(self.true)
        self.low.append(low)
        self.high.append(high)
        self.true.append(true)
        self._aim(str(what), {self.cells[what]: 1})

    def _sum(self, what: Sum, low: float = 0, high: float = 0) -> None:
        assert low <= self._value(what) <= high, "the attacker believes a sum that is not so"
        self.sums.append((what, low, high))

    def _value(self, what: Sum) -> int:
        return sum(self.true[cell] * by for cell, by in what.items())

    def _aim(self, name: str, what: Sum, least: int = 0) -> None:
        few_from = 1 if self.profile.shows_zero else least
        if few_from <= self._value(what) < self.profile.least:
            self.targets.append((name, what))

    def _add_up(self, asked: Question, at: int, name: str, rows: dict, has_all: bool) -> None:
        keys = list(asked.disclosure.keys)
        others = [keys.index(each) for each in asked.filters if each != name]
        here, values = keys.index(name), sorted({place[keys.index(name)] for place in rows} - {ALL})
        columns = [*_counts(asked), *asked.disclosure.parts, *(f"not {part}" for part in asked.disclosure.parts)]
        for place in (p for p in rows if p[here] == ALL and all(p[each] == ALL for each in others)):
            parts = [p for v in values if (p := (*place[:here], v, *place[here + 1 :])) in rows]
            for column in columns:
                total = self.cells[asked.name, at, column, place]
                cells = [self.cells[asked.name, at, column, part] for part in parts]
                self._sum({total: 1} | dict.fromkeys(cells, -1), 0, 0 if has_all else FAR)
                for cell in cells if has_all else ():
                    self._aim(f"{asked.name} {column} {place} but one {name}", {total: 1, cell: -1})

    def _share_out(self, asked: Question, at: int, here: int, rows: dict) -> None:
        values = sorted({place[here] for place in rows})
        for place in (p for p in rows if p[here] == values[0]):
            alike = [p for v in values if (p := (*place[:here], v, *place[here + 1 :])) in rows]
            for name, part in asked.disclosure.parts.items():
                whole, *others = (self.cells[asked.name, at, part["of"], each] for each in alike)
                self._sum({whole: -1} | {self.cells[asked.name, at, name, each]: 1 for each in alike})
                for other in others:
                    self._sum({whole: 1, other: -1})

    def _follow(self, asked: Question, at: int, here: int, rows: dict) -> None:
        name = asked.disclosure.curve["at_risk"]
        for place in rows:
            after = (*place[:here], place[here] + 1, *place[here + 1 :])
            if after in rows:
                step = {self.cells[asked.name, at, name, place]: 1, self.cells[asked.name, at, name, after]: -1}
                self._sum(step, 0, FAR)
                self._aim(f"{asked.name} lost after {place}", step, least=1)

    def broken(self) -> list[str]:
        """The targets that one number is left for."""
        graph = csr_array((len(self.true), len(self.true)))
        if self.sums:
            pairs = np.array([(next(iter(what)), cell) for what, _, _ in self.sums for cell in what])
            graph = csr_array((np.ones(len(pairs)), pairs.T), shape=graph.shape)
        _, component = connected_components(graph, directed=False)
        found = []
        for each in np.unique([component[next(iter(what))] for _, what in self.targets]):
            found += self._broken_in(np.flatnonzero(component == each))
        return found

    def _broken_in(self, cells: np.ndarray) -> list[str]:
        place = {cell: at for at, cell in enumerate(cells)}
        targets = [(name, what) for name, what in self.targets if next(iter(what)) in place]
        sums = [(what, low, high) for what, low, high in self.sums if next(iter(what)) in place]
        solve = self._solver(cells, place, sums)
        left = targets
        for sign in (1, -1):
            together = _added(what for _, what in left)
            found = solve(together, sign)
            left = [(name, what) for name, what in left if _at(found, what, place) == self._value(what)]
        for sign in (1, -1):
            left = [(n, what) for n, what in left if _at(solve(what, sign), what, place) == self._value(what)]
        return [name for name, _ in left]

    def _solver(self, cells: np.ndarray, place: dict, sums: Sequence):
        bounds = Bounds(np.array(self.low)[cells], np.array(self.high)[cells])
        matrix = np.zeros((len(sums), len(cells)))
        for at, (what, _, _) in enumerate(sums):
            for cell, by in what.items():
                matrix[at, place[cell]] = by
        rows = LinearConstraint(matrix, [low for _, low, _ in sums], [high for _, _, high in sums]) if sums else ()

        def solve(what: Sum, sign: int) -> np.ndarray:
            aim = np.zeros(len(cells))
            for cell, by in what.items():
                aim[place[cell]] = -sign * by
            found = milp(aim, constraints=rows, integrality=np.ones(len(cells)), bounds=bounds)
            assert found.success, found.message
            return np.round(found.x)

        return solve


def _by_place(frame: pl.DataFrame, keys: Sequence[str]) -> dict[tuple, dict]:
    return {tuple(row[key] for key in keys): row for row in frame.iter_rows(named=True)}


def _counts(asked: Question) -> list[str]:
    contract = asked.disclosure
    return [*contract.counts, *([contract.curve["at_risk"]] if contract.curve else [])]


def _added(sums: Iterable[Sum]) -> Sum:
    total: Sum = {}
    for each in sums:
        for cell, by in each.items():
            total[cell] = total.get(cell, 0) + by
    return total


def _at(found: np.ndarray, what: Sum, place: dict) -> int:
    return int(sum(found[place[cell]] * by for cell, by in what.items()))


def broken(
    tables: Sequence[tuple[Question, Sequence[Publication]]], profile: Profile, is_exact: bool = False
) -> list[str]:
    """What can be determined from one publication of some questions, or from two after one another."""
    attack = Attack(profile, is_exact)
    for asked, publications in tables:
        for at, each in enumerate(publications):
            if each.shown.height:
                attack.see(asked, at, each)
    attack.compare()
    attack.join()
    return attack.broken()
