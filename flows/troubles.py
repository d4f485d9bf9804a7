"""Problems beside a load that published. The load stays published, and the exit status reports the problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapport.flows.terminal import PUBLISHED, TROUBLED, capital, print_error

if TYPE_CHECKING:
    from rapport.flows.pages.draw import Drawn
    from rapport.flows.steps.publish import Published
    from rapport.flows.workbench import Workbench


@dataclass(frozen=True)
class Troubles:
    """The problems that a published load worked around, and the failures after it."""

    failed_questions: Sequence[str] = ()  # by name
    pages_failed: str | None = None  # why the pages could not be drawn
    damaged: Sequence[str] = ()  # sentences about damaged files
    warnings: Sequence[str] = ()  # sentences that change no exit status

    @property
    def status(self) -> int:
        """The exit status of the load."""
        return TROUBLED if self.failed_questions or self.pages_failed or self.damaged else PUBLISHED

    @property
    def sentences(self) -> list[str]:
        """The problems as sentences, each with what to do."""
        questions = [f"the question {name} failed; mend dashboards/{name}.sql" for name in self.failed_questions]
        pages = [f"{self.pages_failed}; run rapport pages once it is mended"] if self.pages_failed else []
        return [f"{capital(trouble)}." for trouble in (*self.warnings, *self.damaged, *questions, *pages)]


NO_TROUBLES = Troubles()


def troubles_of(
    bench: Workbench, published: Published, drawn: Drawn, damaged: Iterable[str] = (), warnings: Iterable[str] = ()
) -> Troubles:
    """All problems of a load, from its beginning to its pages."""
    return Troubles(
        sorted({*published.failed_questions, *drawn.failed_questions}),
        drawn.pages_failed,
        (*bench.damaged, *damaged, *published.damaged),
        tuple(warnings),
    )


def print_troubles(troubles: Troubles) -> int:
    """Print the problems of a load on standard error, and return its exit status."""
    for trouble in troubles.sentences:
        print_error(trouble)
    return troubles.status
