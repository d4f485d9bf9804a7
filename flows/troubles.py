"""Problems beside a load that published. The load stays published, and the exit status reports the problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rapport.flows.terminal import PUBLISHED, TROUBLED, capital, print_error

if TYPE_CHECKING:
    from rapport.flows.pages.draw import Drawn
    from rapport.flows.steps.publish import Published
    from rapport.flows.workbench import Workbench

INTAKE, MATCH = "intake of ", "match of "  # how the names in to_look_at begin; a source's name follows


@dataclass(frozen=True)
class Troubles:
    """The problems that a published load worked around, and the failures after it."""

    failed_questions: Sequence[str] = ()  # by name
    pages_failed: str | None = None  # why the pages could not be drawn
    damaged: Sequence[str] = ()  # sentences about damaged files
    warnings: Sequence[str] = ()  # sentences that change no exit status
    to_look_at: Mapping[str, str] = field(default_factory=dict)  # intake or match of a source -> a sentence about it

    @property
    def status(self) -> int:
        """The exit status of the load."""
        is_well = not (self.failed_questions or self.pages_failed or self.damaged or self.to_look_at)
        return PUBLISHED if is_well else TROUBLED

    @property
    def sentences(self) -> list[str]:
        """The problems as sentences, each with what to do."""
        questions = [f"the question {name} failed; mend dashboards/{name}.sql" for name in self.failed_questions]
        pages = [f"{self.pages_failed}; run rapport pages once it is mended"] if self.pages_failed else []
        told = (*self.warnings, *self.to_look_at.values(), *self.damaged, *questions, *pages)
        return [f"{capital(trouble)}." for trouble in told]

    def looking_at(self, what: str, sentences: Mapping[str, str], notes: Sequence[str] = ()) -> Troubles:
        """The problems, and a sentence about the intake or the match of each source; notes change no exit status."""
        told = {f"{what}{source}": sentence for source, sentence in sentences.items()}
        return replace(self, warnings=(*self.warnings, *notes), to_look_at={**self.to_look_at, **told})


NO_TROUBLES = Troubles()


def troubles_of(
    bench: Workbench,
    published: Published,
    drawn: Drawn,
    damaged: Iterable[str] = (),
    intake: Troubles | None = None,
) -> Troubles:
    """All problems of a load, from its beginning to its pages. `intake`: those of a night's exports."""
    intake = intake or NO_TROUBLES
    return Troubles(
        sorted({*published.failed_questions, *drawn.failed_questions}),
        drawn.pages_failed,
        (*bench.damaged, *damaged, *published.damaged),
        intake.warnings,
        intake.to_look_at,
    )


def print_troubles(*loads: Troubles) -> int:
    """Print the problems of loads on standard error, each once. Return the highest exit status."""
    for trouble in dict.fromkeys(sentence for troubles in loads for sentence in troubles.sentences):
        print_error(trouble)
    return max(troubles.status for troubles in loads)
