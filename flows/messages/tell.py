"""Told once, told well: one message with the reason and the next step, repeated troubles grouped, recovery said.

    rapport tell --clinic FILE --warehouse DIR

sends a message that says it is a trial. What was told when is in DIR/private/told.json: a trouble is told at once when
it or its reason is new, then once a day with its count, and once when it is over. Nothing told names a file, a person
or a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from rapport.flows.failures import sayable
from rapport.flows.messages.channels import Channels, channels
from rapport.flows.messages.heartbeat import beat
from rapport.flows.messages.metrics import write_metrics
from rapport.flows.stopping import stopped
from rapport.flows.terminal import arguments, capital, complain, finish
from rapport.flows.troubles import NO_TROUBLES, Troubles
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.schedule import read_schedule
from rapport.warehouse.errors import NightRunning, RapportError, Unusable
from rapport.warehouse.places.folders import Folders, prepare

if TYPE_CHECKING:
    from rapport.flows.messages.report import Report

AGAIN_AFTER = timedelta(hours=20)  # once a day, also when today's night fails earlier than yesterday's
NIGHT, FRESHNESS, PAGES, METRICS = "night", "freshness", "drawing of the pages", "file of metrics"
FILES = "warehouse folder"


@dataclass
class Trouble:
    """A trouble that lasts: since when, how often it was met, and when each of its reasons was last told."""

    since: datetime
    count: int = 0
    told: dict[str, datetime] = field(default_factory=dict)

    def is_news(self, reason: str, now: datetime) -> bool:
        """Whether this reason was not told in the last day; a clock set back does not silence it."""
        return reason not in self.told or abs(now - self.told[reason]) >= AGAIN_AFTER


@dataclass
class Notebook:
    """The troubles of a warehouse that are not over."""

    path: Path
    zone: tzinfo
    troubles: dict[str, Trouble] = field(default_factory=dict)

    def met(self, name: str, reason: str, now: datetime) -> str | None:
        """Count a trouble; what is to be told of it, if anything."""
        trouble = self.troubles.setdefault(name, Trouble(now))
        trouble.count += 1
        if not trouble.is_news(reason, now):
            return None
        trouble.told[reason] = now
        again = f" (met {trouble.count} times since {self._day(trouble.since)})" if trouble.count > 1 else ""
        return f"{reason}{again}"

    def over(self, name: str, what: str) -> str | None:
        """End a trouble; what is to be told of that, if there was one."""
        if (trouble := self.troubles.pop(name, None)) is None:
            return None
        times = "once" if trouble.count == 1 else f"{trouble.count} times"
        return f"{what}; the trouble was met {times}, first on {self._day(trouble.since)}"

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%A %Y-%m-%d %H:%M}"

    def save(self) -> None:
        """Replace the file whole: a crash leaves the old one."""
        facts = {name: vars(trouble) for name, trouble in self.troubles.items()}
        text = json.dumps(facts, default=datetime.isoformat, indent=1)
        prepare(self.path.with_name(".told.new"), text).replace(self.path)


def open_notebook(warehouse: Path, zone: tzinfo) -> Notebook:
    """The notebook of a warehouse; an empty one where there is none, or none that can be read."""
    notebook = Notebook(Folders(warehouse).private / "told.json", zone)
    with suppress(Exception):
        for name, facts in json.loads(notebook.path.read_text(encoding="utf-8")).items():
            told = {reason: _time(at) for reason, at in facts["told"].items()}
            notebook.troubles[name] = Trouble(_time(facts["since"]), int(facts["count"]), told)
    return notebook


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@dataclass(frozen=True)
class Operators:
    """Who is told of a warehouse's troubles, and what they know already."""

    channels: Channels
    notebook: Notebook
    now: datetime

    def told_failure(self, error: RapportError, what: str = NIGHT) -> None:
        """The night failed, or another flow did."""
        also = f"{_sentence(error.stands)}; RUNBOOK.md, 'Exit status {error.status}', says more"
        self._send(f"the {what} failed", {what: _sentence(str(error))}, {}, also)

    def told_done(self, what: str) -> None:
        """Another flow than the night went well."""
        self._send("well again", {}, {what: f"The {what} went well"})

    def told_published(
        self, load_id: int, late: Sequence[str] = (), troubles: Troubles = NO_TROUBLES, metrics: str | None = None
    ) -> None:
        """A night published: sources that are overdue, what failed beside it, and whatever is well again."""
        questions, pages, damaged = troubles.failed_questions, troubles.pages_failed, troubles.damaged
        met = {f"source {name}": f"The source {name} is overdue: ask why its export did not come" for name in late}
        met |= {f"question {name}": f"The question {name} failed: mend dashboards/{name}.sql" for name in questions}
        met |= {PAGES: _sentence(pages)} if pages else {}
        met |= {METRICS: _sentence(metrics)} if metrics else {}
        met |= {FILES: ". ".join(map(_sentence, damaged))} if damaged else {}
        over = {
            NIGHT: f"The night publishes again (load {load_id})",
            FRESHNESS: f"The warehouse is fresh again (load {load_id})",
        }
        lasting = {name: f"The {name} is well again" for name in self.notebook.troubles if _is_beside_the_night(name)}
        over |= {name: text for name, text in lasting.items() if name not in met}
        title = _title(late, [*questions, *filter(None, [pages])], damaged, metrics)
        self._send(title, met, over)

    def told_freshness(self, line: str, *, is_fresh: bool) -> None:
        """What a look at the published file found."""
        over = {FRESHNESS: "The warehouse is fresh again"} if is_fresh else {}
        self._send("well again" if is_fresh else "no fresh warehouse", {} if is_fresh else {FRESHNESS: line}, over)

    def _send(self, title: str, met: Mapping[str, str], over: Mapping[str, str], also: str | None = None) -> None:
        """One message of all that is new; what could not be sent is not noted as told."""
        if not self.channels.are_any:
            return
        found = [self.notebook.met(name, reason, self.now) for name, reason in met.items()]
        found += [self.notebook.over(name, what) for name, what in over.items()]
        lines = [*filter(None, found), *([also] if also else [])]
        if any(found) and not self.channels.send(f"Rapport: {title}", ". ".join(lines) + "."):
            return
        with suppress(OSError):  # on a full disk the message has gone out, and may go out twice
            self.notebook.save()


def _title(late: Sequence[str], failed: Sequence[str], damaged: Sequence[str], metrics: str | None) -> str:
    if failed:
        return "published, but a question or the pages failed"
    if late:
        return "a source is overdue"
    if damaged:
        return "published, but not all is well"
    return "published, but its metrics failed" if metrics else "well again"


def _is_beside_the_night(name: str) -> bool:
    return name in (PAGES, METRICS, FILES) or name.startswith(("source ", "question "))


def _sentence(text: str) -> str:
    return capital(text).rstrip(".")


def operators(clinic: Path, warehouse: Path) -> Operators:
    """The operators of a warehouse. The clinic file, or the code that reads it, may be what failed."""
    zone: tzinfo
    try:
        zone = read_schedule(clinic).zone
    except Exception:
        zone = UTC
    return Operators(channels(clinic, warehouse), open_notebook(warehouse, zone), datetime.now(UTC))


def tell_failure(clinic: Path, warehouse: Path, error: RapportError, what: str = NIGHT) -> None:
    """Tell the operators of what failed; of a night also whatever watches it from outside."""
    operators(clinic, warehouse).told_failure(error, what)
    if what == NIGHT:
        beat(warehouse, str(error.status), f"the night ended with status {error.status}")
        if wrong := write_metrics(clinic, warehouse, error.status):
            complain(wrong)


def tell_published(clinic: Path, warehouse: Path, report: Report) -> None:
    """Tell whatever watches a night from outside, and the operators of what is wrong beside it, how it published."""
    beat(warehouse, line=_counts(report))
    metrics = write_metrics(clinic, warehouse, report.status)
    operators(clinic, warehouse).told_published(report.load_id, report.late_sources, report.troubles, metrics)


def _counts(report: Report) -> str:
    loaded = sum(files.counts[-1] for files in report.files)
    found = {
        "source": (len(report.late_sources), "late"),
        "question": (len(report.troubles.failed_questions), "failed"),
    }
    told = [f"{count} {what}{'s' * (count > 1)} {how}" for what, (count, how) in found.items() if count]
    return ", ".join([f"load {report.load_id}", f"{loaded:,} records loaded", *told])


@contextmanager
def telling_failure(clinic: Path, warehouse: Path, *, is_check: bool = False, what: str = NIGHT) -> Iterator[None]:
    """Tell the operators when what runs inside fails or is stopped by hand; a check and a second night beside the first
    are no failures. Raises RapportError."""
    try:
        yield
    except NightRunning:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and not stopped():
            raise  # a signal that Prefect answers
        said = sayable(error)
        if not is_check:
            tell_failure(clinic, warehouse, said, what)
        raise said from None
    if what != NIGHT:  # which tells more when it publishes
        operators(clinic, warehouse).told_done(what)


def main(given: list[str] | None = None) -> int:
    """Send a trial message."""
    asked = arguments("tell", "Send the operators a trial message.").parse_args(given)

    def run() -> None:
        read_clinic(asked.clinic)
        reached = operators(asked.clinic, asked.warehouse).channels
        if not reached.are_any:
            raise Unusable("nobody can be told: set on_failure in the clinic file, RAPPORT_TELL or private/tell")
        if not reached.send("Rapport: a trial", "This is a trial message; nothing has happened."):
            raise RapportError("no channel took the trial message")
        print("The trial message was taken.")

    return finish(run, asked.warehouse)
