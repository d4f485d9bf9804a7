"""Writes INSTRUMENTS.md from the instruments' files: `rapport instruments-page`. A test compares them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from rapport.warehouse.instruments import Instrument, Scale, load_instruments
from rapport.warehouse.instruments.cautions import Caution
from rapport.warehouse.instruments.norms import Norm, Reliability
from rapport.warehouse.instruments.provenance import Provenance
from rapport.warehouse.instruments.reliable_change import Computed, computed_changes
from rapport.warehouse.instruments.thresholds import Change, Threshold
from rapport.warehouse.instruments.versions import VERSIONLESS

PAGE = Path(__file__).resolve().parents[2] / "INSTRUMENTS.md"
INTRODUCTION = """# Questionnaires

Written by `rapport instruments-page` from `warehouse/instruments/*.toml`: numbers only, no item's wording.

Each fact has a status. **Published** was seen in print or in public code. **Recalled** is from memory of the literature
and was not checked: a key is scored, a threshold used, only where `clinic.toml` accepts it by name
(`accepted = ["sai", "cors.child"]`); in place of a recalled missing rule that is not accepted, only complete scales
are scored. **Local** is a clinic's or Rapport's own. An instrument whose licence is needed is scored only where
`clinic.toml` confirms it (`licences = ["srs"]`). Responses are loaded in any case; the tables `instruments` and
`scales` say what is not scored, and why. A clinic adds or replaces a questionnaire with a file of its own
(`instruments = "folder"`).

Missing-item rules: `complete_only`, every item; `prorate_min(k)`, scaled up from at least k answers; `phqa_dsm5`,
seven of nine, rounded; `sdq`, three of five, rounded; `core10`, nine of ten; `oq45`, a blank counts the rounded mean
of its scale's other items, and five blanks in all are too many; `wsas_retired`, without item 1 the sum of the others;
`rcads`, at most two missing; `ptpb85` and `mean80`, the mean of at least 85 or 80 % of the items. Rounding is half
away from zero, as by hand.
"""
NO_VERSION = """
A name that leaves the version open is held back by the rule `instrument_version_missing` (in `clinic.toml` it is
refused): ranges and keys differ, and none is guessed. Use one of the names beside it, or a file of the clinic's own.
"""
DIRECTIONS = {"higher_better": "higher is better", "lower_better": "lower is better"}


def page() -> str:
    """The whole page as Markdown."""
    instruments = load_instruments()
    sections = map(_section, instruments.values())
    return "\n".join([INTRODUCTION, _overview(instruments.values()), NO_VERSION, _versionless(), *sections])


def _overview(instruments: Iterable[Instrument]) -> str:
    rows = [
        (f"[{each.name}](#{each.name})", each.title, each.construct, _scored(each), _yes(each.licence_needed))
        for each in instruments
    ]
    return _table(("name", "title", "about", "scored", "licence needed"), rows)


def _versionless() -> str:
    return _table(("name without a version", "use"), [(name, ", ".join(use)) for name, use in VERSIONLESS.items()])


def _scored(instrument: Instrument) -> str:
    if not instrument.scored:
        return "never: an event"
    keyed = [scale for scale in instrument.scales if scale.has_key]
    if not keyed:
        return "given scores only"
    origins = [instrument.items_origin, *(scale.origin for scale in keyed)]
    return "when accepted" if any(each.status == "recalled" for each in origins) else "yes"


def _section(instrument: Instrument) -> str:
    parts = [f"## {instrument.name}\n", f"{instrument.title}. {_whom(instrument)}\n", _items(instrument)]
    parts += [f"Cited: {instrument.citation}.\n", f"Licence: {_stop(instrument.licence)} {_confirm(instrument)}\n"]
    parts += [f"{_stop(instrument.note)}\n"] if instrument.note else []
    if instrument.scales:
        rows = [_scale(instrument, scale) for scale in instrument.scales]
        parts.append(_table(("scale", "what", "made of", "range", "missing rule", "status", "source"), rows))
    if rows := [*map(_threshold, instrument.thresholds), *map(_change, instrument.changes)]:
        parts.append(_table(("threshold", "scale", "value", "population", "status", "source"), rows))
    norms = [*map(_norm, instrument.norms), *map(_reliability, instrument.reliabilities)]
    if rows := [*norms, *map(_computed, computed_changes(instrument))]:
        parts.append(_table(("norm", "scale", "value", "sample", "status", "source"), rows))
    parts += [f"Risk items {_numbers(risk.items)} at {risk.at}: {_origin(risk.origin)}.\n" for risk in instrument.risks]
    parts += [_caution(instrument.caution)] if instrument.caution else []
    return "\n".join(parts)


def _caution(caution: Caution) -> str:
    whose = ", ".join(caution.respondents)
    return f"Weakly valid below {caution.below_age} years ({whose}): {_origin(caution.origin)}.\n"


def _whom(instrument: Instrument) -> str:
    ages = {(True, True): "{0}-{1} years", (True, False): "from {0} years", (False, True): "to {1} years"}
    known = ages.get((instrument.age_from is not None, instrument.age_to is not None), "")
    parts = [", ".join(instrument.respondents), known.format(instrument.age_from, instrument.age_to)]
    parts += [instrument.timing.replace("_", " "), f"about {instrument.period}" if instrument.period else ""]
    return f"For {'; '.join(filter(None, parts))}; {_window(instrument)}."


def _window(instrument: Instrument) -> str:
    anchor, before, after = instrument.window
    end = "the session's end" if after is None else f"{after:g} h after"
    return f"matched from {before:g} h before to {end} ({anchor.removesuffix('s_at')})"


def _items(instrument: Instrument) -> str:
    if not instrument.item_count:
        return "Its items are not known here.\n"
    text = f"{instrument.item_count} items, {instrument.minimum:g} to {instrument.maximum:g} by {instrument.step:g}"
    text += f"; without {_numbers(instrument.never)}" if instrument.never else ""
    text += "".join(f"; item {n}: {own.minimum:g} to {own.maximum:g}" for n, own in instrument.other_ranges)
    text += f"; reversed {_numbers(instrument.reversed)}" if instrument.reversed else "; none reversed"
    text += f"; optional {_numbers(instrument.optional)}" if instrument.optional else ""
    text += "".join(f"; item {n} is skipped where {beside} is lowest" for n, beside in instrument.skipped)
    return f"{text} ({_origin(instrument.items_origin)}).\n"


def _confirm(instrument: Instrument) -> str:
    return "**The clinic confirms that it holds it.**" if instrument.licence_needed else "No confirmation is asked."


def _scale(instrument: Instrument, scale: Scale) -> tuple[str, ...]:
    low, high = instrument.range_of(scale)
    span = "not known" if low is None else f"{low:g} to {high:g}"
    what = f"{scale.description} {DIRECTIONS[scale.direction].capitalize()}."
    return (scale.name, what, _made_of(scale), span, _rule(scale), scale.origin.status, scale.origin.source)


def _made_of(scale: Scale) -> str:
    if not scale.has_key:
        return f"**key not found**: {scale.key_not_found}"
    if scale.adds:
        return " + ".join(scale.adds) + "".join(f" - {name}" for name in scale.subtracts)
    return f"{scale.score} of {_numbers(scale.items)}"


def _rule(scale: Scale) -> str:
    if not scale.has_key:
        return ""
    rounded = ", rounded" if scale.rounding else ""
    return f"{scale.missing}{rounded} ({_origin(scale.missing_origin)})"


def _threshold(at: Threshold) -> tuple[str, ...]:
    of = "" if at.of == "score" else f"{at.of.replace('_', ' ')}: "
    value = f"case {at.case}" if at.case else ", ".join(f"{word} {start}" for word, start in at.bands)
    name = at.name if at.scheme == at.name else f"{at.name} ({at.scheme})"
    return (name, at.scale, of + value, at.population.text, at.origin.status, at.origin.source)


def _change(change: Change) -> tuple[str, ...]:
    of = "T-score " if change.of == "t_score" else ""
    z = f", z {change.z:g}" if change.z else ""
    value = f"reliable change {of}{change.criterion} {change.amount:g}{z}"
    return (change.name, change.scale, value, change.population.text, change.origin.status, change.origin.source)


def _norm(norm: Norm) -> tuple[str, ...]:
    known = (("M", norm.mean), ("SD", norm.sd), ("n", norm.n))
    value = ", ".join(f"{word} {number:g}" for word, number in known if number is not None)
    return (norm.name, norm.scale, value, norm.sample, norm.origin.status, norm.origin.source)


def _reliability(found: Reliability) -> tuple[str, ...]:
    value = f"{found.low:.2f}" if found.low == found.high else f"{found.low:.2f} to {found.high:.2f}"
    value += f", n {found.n}" if found.n else ""
    kind = found.kind.replace("_", "-")
    return (found.name, found.scale, f"{kind} {value}", found.sample, found.origin.status, found.origin.source)


def _computed(found: Computed) -> tuple[str, ...]:
    value = f"reliable change {found.at_95:.2f} at 95 %, {found.at_90:.2f} at 90 %"
    status = found.norm.origin.status if found.norm.origin.status == "recalled" else found.reliability.origin.status
    kind = found.reliability.kind.replace("_", "-")
    return (
        "computed",
        found.scale,
        value,
        found.norm.sample,
        status,
        f"from its SD and {kind} (Jacobson & Truax 1991)",
    )


def _origin(origin: Provenance) -> str:
    return f"{origin.status}: {origin.source}"


def _numbers(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:g}" for number in numbers)


def _yes(truth: bool) -> str:
    return "yes" if truth else ""


def _stop(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the page into the checkout."""
    argparse.ArgumentParser(prog="rapport instruments-page", description="Write INSTRUMENTS.md.").parse_args(argv)
    PAGE.write_text(page(), encoding="utf-8")
    return 0
