"""Nights without the metrics: they read, check, keep and publish records, sessions, scores and alliance only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from unittest.mock import patch

TABLES = (
    *("clients", "therapists", "episodes", "appointments", "sessions", "session_therapists"),
    *("responses", "scores", "alliance"),
    *("instruments", "scales", "thresholds", "reliable_changes"),
)
VIEWS = ("item_responses",)


@contextmanager
def without_metrics(*more: str) -> Iterator[None]:
    """Compute only these tables, without questions, pages and worklist, which need the other tables.

    `more`: names of additional views.
    """
    from rapport import transforms  # noqa: PLC0415  importing polars is not free
    from rapport.warehouse.published import views_and_comments  # noqa: PLC0415

    few = [table for table in transforms.tables() if table.name in TABLES]
    kept = tuple(view for view in views_and_comments.VIEWS if view.name in (*VIEWS, *more))
    with ExitStack() as patches:
        patched: list[AbstractContextManager[object]] = [
            patch.object(transforms, "tables", lambda: few),
            patch.object(views_and_comments, "VIEWS", kept),
            patch("rapport.flows.steps.publish.load_questions", dict),
            patch("rapport.flows.steps.publish.worklist_text", lambda *_: ""),
            patch("rapport.flows.pages.draw.draw_pages", lambda _: []),
        ]
        for each in patched:
            patches.enter_context(each)
        yield
