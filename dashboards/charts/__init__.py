"""A function per kind of chart: from rows and the chart of a question's front matter to a Vega-Lite specification."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.dashboards.charts.bars import bars, name_and_value
from rapport.dashboards.charts.chart_columns import Chart
from rapport.dashboards.charts.funnel import funnel
from rapport.dashboards.charts.heatmap import heatmap
from rapport.dashboards.charts.line import line
from rapport.dashboards.charts.slope import slope
from rapport.dashboards.charts.style import Spec
from rapport.dashboards.charts.survival import survival
from rapport.dashboards.charts.values import label
from rapport.warehouse.code_marks import registry

__all__ = ["KINDS", "specifications", "value_column"]
KINDS = registry(
    {"line": line, "survival": survival, "funnel": funnel, "heatmap": heatmap, "bars": bars, "slope": slope}
)


def value_column(rows: pl.DataFrame, chart: Chart) -> str:
    """The name of the column whose values a picture shows."""
    if chart["kind"] == "bars":
        return name_and_value(rows, chart)[1]
    return str(chart["value"] if "value" in chart else chart["y"])


def specifications(rows: pl.DataFrame, chart: Chart) -> Iterator[tuple[str, Spec]]:
    """Each panel's name and specification, in the order of the rows. The name of a single panel is ''. A panel without
    values is left out."""
    draw = KINDS[str(chart["kind"])]
    if "panel" not in chart:
        yield "", draw(rows, chart)
        return
    for (panel,), part in rows.group_by(chart["panel"], maintain_order=True):
        if part[value_column(part, chart)].null_count() < part.height:
            name = label(panel, str(chart["panel"]))
            yield name[:1].upper() + name[1:], draw(part, chart)
