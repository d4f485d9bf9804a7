"""The night on one page: today = night(yesterday, exports).

    rapport night --exports DIR --clinic FILE --warehouse DIR [--as-of TIME]

Exit status: 0 published; 1 the night failed and yesterday's warehouse stands; 2 unusable arguments or clinic file;
3 another night is running; 4 published, with something to look at; 129, 130 or 143 stopped by a signal.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import rapport.flows.prefect_tasks.settings  # noqa: F401  before Prefect

# isort: split
from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun, State

from rapport.flows.check.command import check
from rapport.flows.load import run_with_retries
from rapport.flows.messages.heartbeat import START, beat
from rapport.flows.messages.report import Progress, Report, print_report, report_of
from rapport.flows.messages.tell import tell_failure, tell_published, telling_failure
from rapport.flows.night import night
from rapport.flows.order import place_order
from rapport.flows.prefect_tasks.artifacts import leave_artifacts
from rapport.flows.prefect_tasks.night_server import start_night_server
from rapport.flows.prefect_tasks.tasks import as_tasks
from rapport.flows.stopping import again_stoppable, is_stoppable
from rapport.flows.terminal import arguments, finish
from rapport.warehouse.errors import RapportError


@flow(name="nightly", description="Load what came, check it, compute it, publish it.", validate_parameters=False)
def nightly(exports: str, clinic: str, warehouse: str, as_of: str | None = None) -> Report:
    """Run one night and return its report. Raises RapportError; then yesterday's warehouse stays published."""
    with telling_failure(Path(clinic), Path(warehouse)), again_stoppable():
        beat(Path(warehouse), START)
        order = place_order(Path(exports), Path(clinic), Path(warehouse), as_of)
        run = as_tasks(order.clinic.monitoring.slug)
        with Progress() as progress:
            report = report_of(run_with_retries(lambda: night(order, run, progress), progress))
    if report.published:
        tell_published(Path(clinic), Path(warehouse), report)
        leave_artifacts(report, report.published)
    return report


@nightly.on_crashed
def killed(flow: Flow[..., Report], flow_run: FlowRun, state: State[Report]) -> None:  # the names are Prefect's
    """Report a night whose process was killed: only Prefect knows of it. A night by hand reports its own failure."""
    if is_stoppable():
        return
    parameters = flow_run.parameters
    error = RapportError("the night's process was killed; check the machine's memory, then run the night again")
    tell_failure(Path(parameters["clinic"]), Path(parameters["warehouse"]), error)


def main(argv: list[str] | None = None) -> int:
    """Run one night from the command line. The exit status says how the night ended."""
    options = _arguments(argv)

    def run() -> int:
        if options.check:
            return check(options.exports, options.clinic, options.warehouse, options.as_of)
        with telling_failure(options.clinic, options.warehouse):
            place_order(options.exports, options.clinic, options.warehouse, options.as_of)
            start_night_server()
        report = _through_prefect(options)
        print_report(report)
        return report.status

    return finish(run, options.warehouse)


def _through_prefect(options: argparse.Namespace) -> Report:
    try:
        return nightly(str(options.exports), str(options.clinic), str(options.warehouse), options.as_of)
    except RapportError:
        raise
    except BaseException as error:  # an error of Prefect itself: the flow could not report it
        with telling_failure(options.clinic, options.warehouse):
            raise error from None


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = arguments("night", "Run one night.", exports=True)
    parser.add_argument("--as-of", metavar="TIME", help="the night's clock, ISO 8601; default now")
    parser.add_argument("--check", action="store_true", help="the older name of rapport check")
    return parser.parse_args(argv)
