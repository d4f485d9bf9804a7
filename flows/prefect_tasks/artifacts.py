"""A published night on Prefect's pages: its books and checks as tables, and a picture of the last nights' volumes."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from prefect.artifacts import create_image_artifact, create_table_artifact

from rapport.flows.messages.literal import in_markdown
from rapport.flows.messages.report import SUITE_OUTCOMES, Report
from rapport.warehouse.published.night_in_numbers import COUNTS, NightVolume, volumes

NIGHTS = 30
WIDTH, HEIGHT, MARGIN = 720, 240, 40
PAPER = '<rect width="100%" height="100%" fill="white"/>'
FATES = (("loaded", "#2f6f9f"), ("unchanged", "#c9d4dc"), ("quarantined", "#c8553d"))


def leave_artifacts(report: Report, published: Path) -> None:
    """Leave the night's books, checks and volumes beside its flow run. None of them holds a value or a file's name.

    The night is published by now: that its pages in Prefect could not be made is said, and fails nothing.
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
    """A row per source: its files, and its records by where they went. Prefect shows texts in cells as Markdown."""
    names = [f"{count}_count" for count in COUNTS]
    return [
        {"source": in_markdown(row.source), "file_count": row.file_count, **dict(zip(names, row.counts, strict=True))}
        for row in report.files
    ]


def checks(report: Report) -> list[dict[str, object]]:
    """A row per suite of checks: how many passed, failed, did not run."""
    return [
        {"suite": suite, **{word: counts[word] for word in SUITE_OUTCOMES}} for suite, counts in report.suites.items()
    ]


def drawn(nights: list[NightVolume]) -> str:
    """Stacked bars, one a night, as SVG."""
    most = max((sum(night.counts) for night in nights), default=0) or 1
    step = (WIDTH - 2 * MARGIN) / max(len(nights), 1)
    bars = "".join(_bar(night, MARGIN + place * step, step * 0.8, most) for place, night in enumerate(nights))
    legend = "".join(
        f'<rect x="{MARGIN + place * 130}" y="8" width="12" height="12" fill="{colour}"/>'
        f'<text x="{MARGIN + 18 + place * 130}" y="18">{fate}</text>'
        for place, (fate, colour) in enumerate(FATES)
    )
    ends = (nights[:1], MARGIN, "start"), (nights[1:][-1:], WIDTH - MARGIN, "end")
    days = "".join(
        f'<text x="{x}" y="{HEIGHT - 12}" text-anchor="{anchor}">{night.day}</text>'
        for found, x, anchor in ends
        for night in found
    )
    top = f'<text x="{WIDTH - MARGIN}" y="18" text-anchor="end">most in a night: {most:,} records</text>'
    style = 'font-family="sans-serif" font-size="12"'
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{PAPER}{legend}{top}{bars}{days}</svg>'


def _bar(night: NightVolume, x: float, width: float, most: int) -> str:
    bottom, parts = float(HEIGHT - MARGIN + 10), []
    for (fate, colour), count in zip(FATES, night.counts, strict=True):
        height = count / most * (HEIGHT - 2 * MARGIN)
        bottom -= height
        told = escape(f"{night.day}: {count:,} {fate}")
        shape = f'x="{x:.1f}" y="{bottom:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"'
        parts.append(f"<rect {shape}><title>{told}</title></rect>")
    return "".join(parts)
