"""What stands published, asked with as little as possible: a monitor has a second, and its user may only read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from warehouse.errors import RapportError
from warehouse.opening import open_briefly


@dataclass(frozen=True)
class Standing:
    """The published load, and the clock of the night that it stands for."""

    load_id: int
    as_of: datetime


def standing(published: Path) -> Standing | None:
    """What the published file says of itself; None before the first night. Raises RapportError for a spoilt one."""
    if not published.exists():
        return None
    try:
        with open_briefly(published) as con:
            load_id, as_of = con.sql("SELECT load_id, epoch(as_of) FROM load.current").fetchone()
    except (duckdb.Error, TypeError):
        raise RapportError("the published file cannot be read; publish an older one: flows.restore") from None
    return Standing(load_id, datetime.fromtimestamp(as_of, UTC))
