"""Short nights, where the claim is about files, locks, history or commands, and not about the metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from nights import Place, open_place

HEADLINE_TABLES = ("episodes", "appointments", "sessions", "clients", "responses", "scores", "alliance")


@contextmanager
def few_tables(*more: str) -> Iterator[None]:
    """Only the tables that headlines are about, and nothing built on the others: those ask nothing else of history.

    `more`: views that are wanted all the same.
    """
    import transforms  # noqa: PLC0415  importing polars is not free
    from warehouse import views  # noqa: PLC0415

    few = [table for table in transforms.tables() if table.name in HEADLINE_TABLES]
    with (
        patch.object(transforms, "tables", lambda: few),
        patch("flows.computing._compute_clinic", lambda tonight, tables: None),
        patch("flows.publishing.load_questions", dict),
        patch("flows.pages.draw_pages", lambda order: []),
        patch("flows.publishing.worklist_text", lambda *_: ""),
        patch.object(views, "VIEWS", tuple(view for view in views.VIEWS if view.name in more)),
    ):
        yield


def published_place(folder: Path) -> Place:
    """A small clinic whose night of 18 November is published."""
    place = open_place(folder)
    place.deliver_day(17, first=2)
    place.night("2026-11-18T12:00")
    return place
