"""The steps of a night, by name and in order; each is a plain function of `Tonight`. design.md says why."""

from __future__ import annotations

from flows.beginning import begin
from flows.checking import check_records, check_tables
from flows.computing import compute, compute_clinic, keep
from flows.done_again import discover
from flows.pages import draw
from flows.publishing import publish
from flows.reading import read_deliveries

STEPS = {
    "begin": begin,
    "discover": discover,
    "read": read_deliveries,
    "check records": check_records,
    "keep history": keep,
    "compute tables": compute,
    "compute clinic tables": compute_clinic,
    "check tables": check_tables,
    "publish": publish,
    "draw pages": draw,
}
CHECK_STEPS = ("begin", "discover", "read", "check records")
