"""One version of a questionnaire, with all known facts about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rapport.warehouse.instruments.cautions import Caution
from rapport.warehouse.instruments.items import Range
from rapport.warehouse.instruments.norms import Norm, Reliability
from rapport.warehouse.instruments.provenance import LOCAL, Provenance
from rapport.warehouse.instruments.scales import Scale
from rapport.warehouse.instruments.thresholds import Change, Risk, Threshold

# Per timing: the anchor (the session's start, or its end for questionnaires filled in at the end), and the hours before
# and after it in which a response may come (None: until the session's end). design.md, Matching.
WINDOWS = {
    "session_start": ("starts_at", 48, None),
    "session_end": ("ends_at", 0.25, 72),
    "general": ("starts_at", 72, 72),
}


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire."""

    name: str
    title: str
    construct: str
    respondents: tuple[str, ...]
    timing: str
    direction: str
    citation: str
    licence: str
    item_count: int
    minimum: float | None
    maximum: float | None
    step: float | None
    reversed: tuple[int, ...]
    scales: tuple[Scale, ...]
    licence_needed: bool = False
    scored: bool = True
    family: str = ""  # parallel forms for different raters have the same family
    period: str = ""
    note: str = ""
    words: tuple[tuple[str, float], ...] = ()  # of its answers, where they are public
    codes: tuple[tuple[str, float], ...] = ()  # of its answers, in a public code system
    age_from: int | None = None
    age_to: int | None = None
    window_hours: tuple[float, float] | None = None
    optional: tuple[int, ...] = ()
    never: tuple[float, ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
    other_ranges: tuple[tuple[int, Range], ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    changes: tuple[Change, ...] = ()
    norms: tuple[Norm, ...] = ()
    reliabilities: tuple[Reliability, ...] = ()
    risks: tuple[Risk, ...] = ()
    caution: Caution | None = None
    origin: Provenance = LOCAL
    items_origin: Provenance = LOCAL

    @cached_property
    def scale_names(self) -> frozenset[str]:
        return frozenset(scale.name for scale in self.scales)

    @property
    def window(self) -> tuple[str, float, float | None]:
        """Return the matching window: the anchor's column, hours before it, hours after it."""
        anchor, *usual = WINDOWS[self.timing]
        return (anchor, *(self.window_hours or usual))

    @property
    def reading(self) -> tuple[object, ...]:
        """Return the facts that decide how answers in an export are read and checked; thresholds and norms do not.
        Risk items are among them: risk answers are noted while a file is read."""
        ranges = (self.minimum, self.maximum, self.step, self.other_ranges, self.never)
        scales = tuple((scale.name, self.range_of(scale)) for scale in self.scales)
        risks = tuple((risk.items, risk.at) for risk in self.risks)
        return (self.name, self.item_count, ranges, self.reversed, scales, risks, self.words, self.codes)

    def scale(self, name: str) -> Scale:
        """Return the scale of this name."""
        return next(scale for scale in self.scales if scale.name == name)

    def range_of_item(self, number: int) -> Range:
        """Return the range of answers to an item."""
        return dict(self.other_ranges).get(number) or self.usual_range

    @property
    def usual_range(self) -> Range:
        """Return the range of items without a range of their own. Raises ValueError where no items are known."""
        if self.minimum is None or self.maximum is None or self.step is None:
            raise ValueError(f"no items of {self.name} are known; describe them in an instrument file of your own")
        return Range(self.minimum, self.maximum, self.step)

    def range_of(self, scale: Scale) -> tuple[float | None, float | None]:
        """Return the lowest and highest possible score of a scale; None where its key was not found and no source
        states them."""
        if scale.adds:
            return self._range_of_parts(scale)
        if not scale.items:
            return scale.stated_range
        ranges = [self.range_of_item(number) for number in scale.items]
        lows, highs = [each.minimum for each in ranges], [each.maximum for each in ranges]
        return (sum(lows), sum(highs)) if scale.score == "sum" else (min(lows), max(highs))

    def _range_of_parts(self, scale: Scale) -> tuple[float | None, float | None]:
        ranges = {name: self.range_of(self.scale(name)) for name in (*scale.adds, *scale.subtracts)}
        known = {name: (low, high) for name, (low, high) in ranges.items() if low is not None and high is not None}
        if len(known) < len(ranges):
            return (None, None)
        added, taken = ([known[name] for name in names] for names in (scale.adds, scale.subtracts))
        low = sum(low for low, _ in added) - sum(high for _, high in taken)
        return low, sum(high for _, high in added) - sum(low for low, _ in taken)
