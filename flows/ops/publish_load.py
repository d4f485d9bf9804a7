"""The end of a load that reads no export: publish it, and draw its pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapport.flows.pages.draw import draw
from rapport.flows.private.erasure import Cleaned
from rapport.flows.steps.check import Checked
from rapport.flows.steps.compute import Computed
from rapport.flows.steps.publish import publish
from rapport.flows.troubles import Troubles, troubles_of
from rapport.flows.workbench import Workbench


@dataclass(frozen=True)
class Done:
    """A published load, with the numbers of erased rows in it and in the kept versions."""

    load_id: int
    erased_rows: int
    cleaned: Cleaned
    troubles: Troubles


def publish_load(
    bench: Workbench,
    computed: Computed,
    checked: Checked,
    reason: str | None,
    *,
    leaves_space_behind: bool = False,
    damaged: Iterable[str] = (),
) -> Done:
    """Publish a load, and draw its pages. `damaged`: sentences about files that the load could not use."""
    published = publish(bench, computed, checked.outcomes, reason=reason, leaves_space_behind=leaves_space_behind)
    troubles = troubles_of(bench, published, draw(bench.order), damaged)
    return Done(bench.load_id, bench.taken_out.row_count, published.cleaned, troubles)
