"""Messages to the operators: one message per trouble, with the reason and the next step.

    rapport tell --clinic FILE --warehouse DIR

sends a trial message. DIR/private/told.json records which troubles were reported and when. A trouble is reported at
once when it or its reason is new, then once a day with its count, and once when it is over. No message names a file, a
person or a value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from rapport.flows.terminal import arguments, capital, finish, print_error
from rapport.flows.troubles import INTAKE, MATCH, NO_TROUBLES, Troubles
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.schedule import read_schedule
from rapport.warehouse.errors import NightRunning, RapportError, Unusable
from rapport.warehouse.places.folders import Folders, prepare

if TYPE_CHECKING:
    from rapport.flows.messages.report import Report

AGAIN_AFTER = timedelta(hours=20)  # so once a day, also when tonight's failure comes earlier than yesterday's
NIGHT, FRESHNESS, PAGES, METRICS = "night", "freshness", "drawing of the pages", "file of metrics"
FILES = "warehouse folder"


@dataclass
class Trouble:
    """A lasting trouble: its first time, how often it occurred, and when each of its reasons was last reported."""

    since: datetime
    count: int = 0
    told: dict[str, datetime] = field(default_factory=dict)

    def is_news(self, reason: str, now: datetime) -> bool:
        """Whether this reason was not reported in the last day. A clock that was set back does not suppress it."""
        return reason not in self.told or abs(now - self.told[reason]) >= AGAIN_AFTER


@dataclass
class Notebook:
    """The present troubles of a warehouse."""

    path: Path
    zone: tzinfo
    troubles: dict[str, Trouble] = field(default_factory=dict)

    def note(self, name: str, reason: str, now: datetime) -> str | None:
        """Count a trouble, and return the sentence to send; None where it was already reported."""
        trouble = self.troubles.setdefault(name, Trouble(now))
        trouble.count += 1
        if not trouble.is_news(reason, now):
            return None
        trouble.told[reason] = now
        again = f" (met {trouble.count} times since {self._day(trouble.since)})" if trouble.count > 1 else ""
        return f"{reason}{again}"

    def close(self, name: str, what: str) -> str | None:
        """End a trouble, and return the sentence to send; None where there was no such trouble."""
        if (trouble := self.troubles.pop(name, None)) is None:
            return None
        times = "once" if trouble.count == 1 else f"{trouble.count} times"
        return f"{what}; the trouble was met {times}, first on {self._day(trouble.since)}"

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%A %Y-%m-%d %H:%M}"

    def save(self) -> None:
        """Replace the file as a whole: after a crash, the old one is still complete."""
        facts = {name: vars(trouble) for name, trouble in self.troubles.items()}
        text = json.dumps(facts, default=datetime.isoformat, indent=1)
        prepare(self.path.with_name(".told.new"), text).replace(self.path)


def open_notebook(warehouse: Path, zone: tzinfo) -> Notebook:
    """The notebook of a warehouse; an empty one where the file is missing or unreadable."""
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
    """The operators of a warehouse: how to reach them, and the troubles that were already reported to them."""

    channels: Channels
    notebook: Notebook
    now: datetime

    def report_failure(self, error: RapportError, what: str = NIGHT) -> None:
        """Report that the night, or another flow, failed."""
        also = f"{_sentence(error.stands)}; RUNBOOK.md, 'Exit status {error.status}', says more"
        self._send(f"the {what} failed", {what: _sentence(str(error))}, {}, also)

    def report_success(self, what: str) -> None:
        """Report that a flow that failed before went well. The night has a message of its own."""
        self._send("well again", {}, {what: f"The {what} went well"})

    def report_publication(
        self,
        load_id: int,
        late: Sequence[str] = (),
        troubles: Troubles = NO_TROUBLES,
        metrics: str | None = None,
        read: Collection[str] = (),
    ) -> None:
        """Report a published night: overdue sources, failures beside it, and troubles that are over. `read`: the
        sources of which it read files. A bad intake is over when a good file of its source is read."""
        questions, pages, damaged = troubles.failed_questions, troubles.pages_failed, troubles.damaged
        met = {f"source {name}": f"The source {name} is overdue: ask why its export did not come" for name in late}
        met |= {f"question {name}": f"The question {name} failed: mend dashboards/{name}.sql" for name in questions}
        met |= {name: _sentence(text) for name, text in troubles.to_look_at.items()}
        met |= {PAGES: _sentence(pages)} if pages else {}
        met |= {METRICS: _sentence(metrics)} if metrics else {}
        met |= {FILES: ". ".join(map(_sentence, damaged))} if damaged else {}
        over = {
            NIGHT: f"The night publishes again (load {load_id})",
            FRESHNESS: f"The warehouse is fresh again (load {load_id})",
        }
        lasting = {name for name in self.notebook.troubles if _is_beside_the_night(name)} - met.keys()
        unread = {name for name in lasting if name.startswith(INTAKE) and name.removeprefix(INTAKE) not in read}
        over |= {name: f"The {name} is well again" for name in sorted(lasting - unread)}
        title = _title(late, [*questions, *filter(None, [pages])], [*troubles.to_look_at, *damaged], metrics)
        self._send(title, met, over)

    def report_freshness(self, line: str, *, is_fresh: bool) -> None:
        """Report whether the published file is fresh."""
        over = {FRESHNESS: "The warehouse is fresh again"} if is_fresh else {}
        self._send("well again" if is_fresh else "no fresh warehouse", {} if is_fresh else {FRESHNESS: line}, over)

    def _send(self, title: str, met: Mapping[str, str], over: Mapping[str, str], also: str | None = None) -> None:
        """Send one message with everything new. A message that could not be sent is not recorded as sent."""
        if not self.channels.are_any:
            return
        found = [self.notebook.note(name, reason, self.now) for name, reason in met.items()]
        found += [self.notebook.close(name, what) for name, what in over.items()]
        lines = [*filter(None, found), *([also] if also else [])]
        if any(found) and not self.channels.send(f"Rapport: {title}", ". ".join(lines) + "."):
            return
        with suppress(OSError):  # on a full disk the message is sent but not recorded, so it may be sent twice
            self.notebook.save()


def _title(late: Sequence[str], failed: Sequence[str], beside: Sequence[str], metrics: str | None) -> str:
    if failed:
        return "published, but a question or the pages failed"
    if late:
        return "a source is overdue"
    if beside:
        return "published, but not all is well"
    return "published, but its metrics failed" if metrics else "well again"


def _is_beside_the_night(name: str) -> bool:
    return name in (PAGES, METRICS, FILES) or name.startswith(("source ", "question ", INTAKE, MATCH))


def _sentence(text: str) -> str:
    return capital(text).rstrip(".")


def operators(clinic: Path, warehouse: Path) -> Operators:
    """The operators of a warehouse. This works even where the clinic file, or the code that reads it, has failed."""
    zone: tzinfo
    try:
        zone = read_schedule(clinic).zone
    except Exception:
        zone = UTC
    return Operators(channels(clinic, warehouse), open_notebook(warehouse, zone), datetime.now(UTC))


def tell_failure(clinic: Path, warehouse: Path, error: RapportError, what: str = NIGHT) -> None:
    """Report a failure to the operators. A failed night is also reported to the outside monitor and in the metrics."""
    operators(clinic, warehouse).report_failure(error, what)
    if what == NIGHT:
        beat(warehouse, str(error.status), f"the night ended with status {error.status}")
        if wrong := write_metrics(clinic, warehouse, error.status):
            print_error(wrong)


def tell_published(clinic: Path, warehouse: Path, report: Report) -> None:
    """Report a published night to the outside monitor and in the metrics, and its problems to the operators."""
    beat(warehouse, line=_counts(report))
    metrics = write_metrics(clinic, warehouse, report.status)
    read = {files.source for files in report.files}
    operators(clinic, warehouse).report_publication(report.load_id, report.late_sources, report.troubles, metrics, read)


def _counts(report: Report) -> str:
    loaded = sum(files.counts[-1] for files in report.files)
    found = {
        "source": (len(report.late_sources), "late"),
        "question": (len(report.troubles.failed_questions), "failed"),
        "finding": (len(report.troubles.to_look_at), "to look at"),
    }
    counts = [f"{count} {what}{'s' * (count > 1)} {how}" for what, (count, how) in found.items() if count]
    return ", ".join([f"load {report.load_id}", f"{loaded:,} records loaded", *counts])


@contextmanager
def telling_failure(clinic: Path, warehouse: Path, *, what: str = NIGHT) -> Iterator[None]:
    """Report to the operators when the block fails or is stopped by hand. A second night beside a running one is not
    reported. Raises RapportError."""
    try:
        yield
    except NightRunning:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and not stopped():
            raise  # a signal that Prefect handles
        failure = sayable(error)
        tell_failure(clinic, warehouse, failure, what)
        raise failure from None
    if what != NIGHT:  # a night reports more when it publishes
        operators(clinic, warehouse).report_success(what)


def main(argv: list[str] | None = None) -> int:
    """Send a trial message."""
    options = arguments("tell", "Send the operators a trial message.").parse_args(argv)

    def run() -> None:
        read_clinic(options.clinic)
        reached = operators(options.clinic, options.warehouse).channels
        if not reached.are_any:
            raise Unusable("nobody can be told: set on_failure in the clinic file, RAPPORT_TELL or private/tell")
        if not reached.send("Rapport: a trial", "This is a trial message; nothing has happened."):
            raise RapportError(
                "no channel accepted the trial message; check on_failure in clinic.toml, RAPPORT_TELL and private/tell"
            )
        print("The trial message was accepted.")

    return finish(run, options.warehouse)
