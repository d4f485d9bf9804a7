"""The section [disclosure] of a shared question, which says how its numbers are hidden. It names every column once.

clients    the column that counts the distinct clients behind a row: with too few, the row shows no number
keys       the columns that identify a row: never a date, an id or free text
along      the key that runs on (a session, a month): every value gets a row, so that a missing row reveals nothing
counts     counts, shown rounded; over the values of a filter they add up to the count of 'All'
parts      { part = { of = "count", clients = "column", other_clients = "column" } }: how many of a count. A part is
           hidden with its complement; the two columns count the clients behind either, where a client may count twice
means      { mean = { of = "count", range = [0, 100] } }: shown to a hundredth of the range, for enough clients
estimates  { estimate = { of = "count", step = 0.01 } }: correlations and similar numbers, rounded to `step`, for enough
           clients; with end = "low" or "high" an interval's end, rounded outwards, so that the interval keeps a width
curve      { share, at_risk, events }: the share left after each step of `along`; steps of few clients are joined
behind     columns that are used only for hiding, and are not shown
shared_out a key over whose values the parts add up to their count
exhaustive true where the parts of a count add up to the whole count
therapists true where each row is a therapist: computed only where the clinic file turns it on
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapport.warehouse.schema.questions import Disclosure

_PLANS = {  # per section: the keys that an entry needs, and the keys that it may have
    "parts": ({"of"}, {"clients", "other_clients"}),
    "means": ({"of", "range"}, set()),
    "estimates": ({"of", "step"}, {"end"}),
}
_ENDS = (None, "low", "high")
_CURVE = {"share", "at_risk", "events"}
_KEYS = {"clients", "keys", "counts", "curve", "behind", "exhaustive", "along", "shared_out", "therapists", *_PLANS}


def read_disclosure(facts: Mapping[str, Any]) -> Disclosure:
    """The section [disclosure] of a question. Raises ValueError, which names the key."""
    if wrong := facts.keys() - _KEYS:
        raise ValueError(f"[disclosure] has the unknown key {', '.join(sorted(wrong))}")
    if missing := {"clients", "keys"} - facts.keys():
        raise ValueError(f"[disclosure] has no key {', '.join(sorted(missing))}")
    for section, (needed, optional) in _PLANS.items():
        for name, entry in facts.get(section, {}).items():
            if wrong := (needed - entry.keys()) | (entry.keys() - needed - optional):
                raise ValueError(f"[disclosure.{section}] {name} lacks or does not take {', '.join(sorted(wrong))}")
    if strange := [name for name, entry in facts.get("estimates", {}).items() if entry.get("end") not in _ENDS]:
        raise ValueError(f"[disclosure.estimates] {', '.join(strange)}: end must be 'low' or 'high'")
    if "curve" in facts and facts["curve"].keys() != _CURVE:
        raise ValueError(f"[disclosure] curve must have exactly {', '.join(sorted(_CURVE))}")
    if "curve" in facts and "along" not in facts:
        raise ValueError("[disclosure] has a curve but no key along, which names the column of its steps")
    lists = {key: tuple(facts[key]) for key in ("keys", "counts", "behind") if key in facts}
    return Disclosure(**{**facts, **lists})
