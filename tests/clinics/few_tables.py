"""Short nights, where the claim is about files, locks, history or commands, and not about the metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.clinics.nights import Place, open_place


@contextmanager
def few_tables(*more: str) -> Iterator[None]:
    """Only the records' own tables, none of the clinic's made, and nothing built on the others: those ask nothing else
    of history.

    `more`: views that are wanted all the same.
    """
    from rapport.flows.bench.without_metrics import without_metrics  # noqa: PLC0415  scripts find it once they have begun
    from rapport.flows.pages import draw  # noqa: PLC0415

    with without_metrics(*more), patch("rapport.flows.steps.compute._compute_clinic", lambda file, tables: None):
        few = draw.draw_pages
        yield
        # A monkeypatch that was made before would put the few tables back after this end, for every later test.
        assert draw.draw_pages is few, "undo the patch of draw_pages before the short nights end"


def published_place(folder: Path) -> Place:
    """A small clinic whose night of 18 November is published."""
    place = open_place(folder)
    place.deliver_day(17, first=2)
    place.night("2026-11-18T12:00")
    return place
