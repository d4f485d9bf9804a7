"""A published night on Prefect's pages: its books and checks as tables, and the last nights' volumes as a chart."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import polars as pl
from prefect.artifacts import create_image_artifact, create_table_artifact

from rapport.dashboards.charts.drawing import drawing
from rapport.dashboards.charts.line import line
from rapport.flows.messages.literal import in_markdown
from rapport.flows.messages.report import SUITE_OUTCOMES, Report
from rapport.warehouse.published.night_in_numbers import COUNTS, NightVolume, volumes

NIGHTS = 30
FATES = ("loaded", "unchanged", "quarantined")


def leave_artifacts(report: Report, published: Path) -> None:
    """Attach the night's books, checks and volumes to its flow run. None of them has a value or a file's name.

    The night is already published: a failure here is only reported on standard error.
    """
    try:
        _leave(report, published)
    except Exception as error:
        print(f"published, but not shown on Prefect's pages ({type(error).__name__})", file=sys.stderr)


def _leave(report: Report, published: Path) -> None:
    what = f"Where the records of load {report.load_id} went"
    create_table_artifact(key=f"{report.clinic}-books", table=books(report), description=what)
    found = "What was checked, and how it came out"
    create_table_artifact(key=f"{report.clinic}-checks", table=checks(report), description=found)
    picture = base64.b64encode(drawn(volumes(published, NIGHTS)).encode()).decode()
    address = f"data:image/svg+xml;base64,{picture}"
    shown = f"Records of the last {NIGHTS} nights"
    create_image_artifact(key=f"{report.clinic}-volumes", image_url=address, description=shown)


def books(report: Report) -> list[dict[str, object]]:
    """A row per source: the number of its files, and of its records by outcome. Prefect reads texts as Markdown."""
    names = [f"{count}_count" for count in COUNTS]
    return [
        {"source": in_markdown(row.source), "file_count": row.file_count, **dict(zip(names, row.counts, strict=True))}
        for row in report.files
    ]


def checks(report: Report) -> list[dict[str, object]]:
    """A row per suite: how many checks passed, failed and did not run."""
    return [
        {"suite": suite, **{word: counts[word] for word in SUITE_OUTCOMES}} for suite, counts in report.suites.items()
    ]


def drawn(nights: list[NightVolume]) -> str:
    """A line chart as SVG: records per night, one line per outcome (loaded, unchanged, quarantined)."""
    told = [(night.day, fate, count) for night in nights for fate, count in zip(FATES, night.counts, strict=True)]
    rows = pl.DataFrame(told, {"night": pl.Date, "fate": pl.String, "records": pl.Int64}, orient="row")
    chart = {"kind": "line", "x": "night", "y": "records", "series": "fate", "y_title": "Records"}
    return drawing(line(rows, chart), "volumes", f"Records of the last {NIGHTS} nights, by where they went")
