"""The safe file of a published clinic as it would be at a later day, with what is true beside it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from rapport.dashboards.questions import Question, load_questions
from rapport.flows.order import place_order
from rapport.flows.steps.make_safe_file import make_safe_file
from rapport.flows.workbench import Load
from rapport.warehouse.clinic_file.hiding import read_shared_rules
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import current_load, place_version, point, version_stamp
from rapport.warehouse.store.frames import fetch
from tests.attacks.attacker import Publication
from tests.clinics.nights import Place

Tables = list[tuple[Question, list[Publication]]]


def two_publications(place: Place, folder: Path, profile: str, days: tuple[str, str]) -> Tables:
    """The questions that have figures, in the safe files of two days one after the other."""
    both = [publish(place, folder, profile, day) for day in days]
    return [(asked, [each[asked.name] for each in both]) for asked in shared_questions() if asked.name in both[0]]


def shared_questions() -> list[Question]:
    """The shared questions but those about therapists, in which no counts add up."""
    return [q for q in load_questions().values() if q.disclosure and not q.disclosure.therapists]


def publish(place: Place, folder: Path, profile: str, day: str) -> dict[str, Publication]:
    """Its safe file published as of a day in `folder`, and read back; by question."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"{day}.duckdb"
    shutil.copy(place.published, copy)
    copy.chmod(0o600)
    order = place_order(place.exports, place.clinic, folder / "warehouse", f"{day}T12:00")
    order = replace(
        order, clinic=replace(order.clinic, sharing=read_shared_rules({"profile": profile, "therapists": True}))
    )
    where = Folders(folder / "warehouse")
    where.make()
    with duckdb.connect(str(copy)) as con:
        con.execute("SET arrow_lossless_conversion = true")
        con.execute("UPDATE load.current SET as_of = ?::TIMESTAMPTZ", [f"{day} 18:00:00+00"])
        made = make_safe_file(Load(order, "night", 0, datetime.now(UTC), folder, None), con, shared_questions()).path
        truth = {asked.name: fetch(con, asked.query) for asked in shared_questions()}
    stamp = version_stamp(order.as_of, 1 + current_load(where.published))
    for file, link in ((copy, where.published), (made, where.safe)):
        published = place_version(file, link, stamp, {})
        point(link, published)
    with duckdb.connect(str(published), read_only=True) as con:
        return {name: Publication(pl.DataFrame(con.sql(f"FROM dashboard.{name}")), truth[name]) for name in truth}
