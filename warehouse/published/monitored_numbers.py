"""Numbers of the published file for a monitor: times, counts and durations. None is a value of a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rapport.warehouse.published.night_in_numbers import COUNTS
from rapport.warehouse.store.building_file import open_published

_FATES = COUNTS[1:]
_SUMS = ", ".join(f"coalesce(sum({fate}_count), 0)::BIGINT AS {fate}" for fate in _FATES)
_METRIC_QUERIES = {  # the last column is the value; those before it are labels
    "rapport_published_timestamp_seconds": """
        SELECT epoch(finished_at)::BIGINT FROM load.current JOIN load.loads USING (load_id)""",
    "rapport_data_timestamp_seconds": "SELECT epoch(data_to)::BIGINT FROM load.current WHERE data_to IS NOT NULL",
    "rapport_load": "SELECT load_id FROM load.current",
    "rapport_night_seconds": """
        SELECT step, round(seconds, 1) FROM load.steps JOIN load.current USING (load_id) ORDER BY position""",
    "rapport_records": f"""
        UNPIVOT (SELECT s.source, {_SUMS} FROM load.sources AS s LEFT JOIN load.files AS f
            ON f.source = s.source AND f.load_id = (SELECT load_id FROM load.current) GROUP BY s.source)
        ON {", ".join(_FATES)} INTO NAME outcome VALUE records ORDER BY source, outcome""",
    "rapport_waiting_rows": "SELECT count(*) FROM load.quarantine WHERE state = 'waiting'",
    "rapport_source_late": "SELECT source, is_late::INTEGER FROM load.sources ORDER BY source",
}


@dataclass(frozen=True)
class Sample:
    """One number of a metric."""

    metric: str
    labels: dict[str, str]
    value: float


def samples_of(published: Path) -> list[Sample]:
    """Return the samples of a published file. Raises Damaged and Unusable where the file does not open."""
    with open_published(published) as con:
        return [sample for metric, query in _METRIC_QUERIES.items() for sample in _samples(con.sql(query), metric)]


def _samples(relation: duckdb.DuckDBPyRelation, metric: str) -> Iterator[Sample]:
    names = relation.columns[:-1]
    for *labels, value in relation.fetchall():
        yield Sample(metric, dict(zip(names, labels, strict=True)), value)
