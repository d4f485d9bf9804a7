"""Spoilt files of what people write by hand: taken, or refused in one sentence. Never "a fault of Rapport"."""

import dataclasses
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest
from cronsim import CronSim
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rapport import transforms
from rapport.expectations.responses import added
from rapport.flows.ops import erasure_requests
from rapport.flows.private.erasure import Cleaned
from rapport.flows.steps.changed_definitions import readings
from rapport.flows.steps.discover import matching
from rapport.flows.troubles import Troubles
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.warehouse.clinic_file.client_links import ClientLinks, read_client_links
from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.clinic_file.schedule import read_schedule
from rapport.warehouse.errors import RapportError, Refused, Unusable
from rapport.warehouse.instruments import Instrument, read_instrument
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.building_file import staged_columns
from tests.breaking.damage import damaged
from tests.breaking.damaged_facts import CLINIC, INSTRUMENT, LINKS, REQUESTS, SAMPLES, spoilt
from tests.clinics.drawn import clinic as clinic_of
from tests.clinics.drawn import records, table
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place
from tests.clinics.reading import AS_OF
from tests.transforms.sources.test_fuzz import KEPT

TIMES = 50
SPACES = ("practice", "portal", "lab")


def refused(what: Callable[[], object]) -> bool:
    """Whether it is refused, in one line; nothing else may happen but that it is done."""
    try:
        what()
    except RapportError as error:
        assert "\n" not in error.told
        assert "fault of Rapport" not in error.told
        return True
    return False


def clinic_file(data: bytes) -> bool:
    with TemporaryDirectory() as folder:
        return refused(lambda: _take_clinic(Path(folder), data))


def _take_clinic(folder: Path, data: bytes) -> None:
    """A clinic file read, and all that is asked of it before a night begins; its sources' exports read."""
    (folder / "own").mkdir()
    (folder / "own/own.toml").write_text(INSTRUMENT, encoding="utf-8")
    (folder / "links.csv").write_text("practice,1,portal,77\n")
    (folder / "clinic.toml").write_bytes(data)
    clinic = read_clinic(folder / "clinic.toml")
    read_schedule(folder / "clinic.toml").last_due(AS_OF)
    CronSim(clinic.schedule.cron, AS_OF)  # whoever serves the schedule can read it too
    tables_of_facts(clinic)
    usual = {source.name: source for source in usual_clinic().sources}
    assert len(readings(clinic)) == len(clinic.sources)
    for source in clinic.sources:
        assert list(matching(folder, source)) is not None
        if source != usual.get(source.name):
            _read_export(folder, clinic, source)


def _read_export(folder: Path, clinic: Clinic, source: object) -> None:
    export = folder / "export"
    export.write_bytes(SAMPLES.get(source.name, SAMPLES["practice"]))
    with suppress(Refused):
        task = Tallies(AS_OF, clinic.lists, clinic.instruments)
        assert all(frame.width for _, frame in read(open_delivery(export, source), source, task))


@cache
def usual_clinic() -> Clinic:
    with TemporaryDirectory() as folder:
        (Path(folder) / "own").mkdir()
        (Path(folder) / "links.csv").touch()
        (Path(folder) / "clinic.toml").write_text(CLINIC, encoding="utf-8")
        return read_clinic(Path(folder) / "clinic.toml")


def clinic_file_and_night(data: bytes) -> bool:
    """The same, and where it is taken a night of small exports, one a source. Each costs a second."""
    with TemporaryDirectory() as folder, few_tables():
        return clinic_file(data) or refused(lambda: _night(open_place(Path(folder) / "clinic", ""), data))


def _night(place: Place, data: bytes) -> None:
    (place.folder / "own").mkdir()
    (place.folder / "own/own.toml").write_text(INSTRUMENT, encoding="utf-8")
    (place.folder / "links.csv").write_text("practice,1,portal,77\n")
    place.clinic.write_bytes(data)
    for source in read_clinic(place.clinic).sources:
        name = source.files.replace("*", "x").replace("%Y", "2026").replace("%m", "03").replace("%d", "10")
        with suppress(OSError, ValueError):  # a name that no file system takes
            place.drop(re.sub("%[HMS]", "00", name).replace("/", "x"), SAMPLES.get(source.name, SAMPLES["practice"]))
    place.night("2026-03-15T12:00", but_for_finished_tables)


def tables_of_facts(clinic: Clinic) -> None:
    """The tables that say what the facts are."""
    for each in transforms.tables():
        if each.reads == ("clinic",):
            assert each(clinic).collect().columns


def instrument_file(data: bytes) -> bool:
    with TemporaryDirectory() as folder:
        (Path(folder) / "own.toml").write_bytes(data)
        return refused(lambda: _take_instrument(read_instrument(Path(folder) / "own.toml")))


def _take_instrument(instrument: Instrument) -> None:
    """An instrument described, its rules run, and answers at both ends of its range scored."""
    clinic = dataclasses.replace(clinic_of(licences=["own"], accepted=["own"]), instruments={"own": instrument})
    tables_of_facts(clinic)
    with duckdb.connect() as con:
        columns = ", ".join(f"{each.name} {each.sql_type}" for each in staged_columns(KINDS["responses"]))
        con.execute(f"CREATE TABLE responses ({columns})")
        for rule in added(clinic.instruments):
            if rule.query:
                assert con.sql(rule.query.replace("{batch}", "responses")).fetchall() == []
    if instrument.item_count:
        _expect_scores_on_their_range(instrument, clinic)


def _expect_scores_on_their_range(instrument: Instrument, clinic: Clinic) -> None:
    ranges = [instrument.range_of_item(number) for number in range(1, instrument.item_count + 1)]
    rows = [[each.minimum for each in ranges], [each.maximum for each in ranges], [None for _ in ranges]]
    drawn = "source | response_id | client_id | instrument | rater | session_id | completed_at | completed_on"
    lines = "".join(f"\npractice | r{n} | ann | own | client | | | 2026-03-02" for n in range(len(rows)))
    answers = pl.Series("answers", rows, dtype=pl.List(pl.Float32))
    known = records("responses", drawn + lines).with_columns(answers)
    counts = pl.Series("answered_count", [len(ranges), len(ranges), 0], dtype=pl.Int32)
    one = {"rater_number": pl.lit(1, dtype=pl.Int32), "is_used": pl.lit(True)}
    responses = table(drawn + lines).with_columns(counts, **one)
    (scores,) = (each for each in transforms.tables() if each.name == "scores")
    made = scores(responses, known, clinic).collect()
    assert made.filter(~pl.col("pomp").is_between(-1e-6, 100 + 1e-6)).is_empty()
    assert made["score"].drop_nulls().is_finite().all()


def links_file(data: bytes) -> bool:
    with TemporaryDirectory() as folder:
        (Path(folder) / "links.csv").write_bytes(data)
        made: list[ClientLinks] = []
        is_refused = refused(lambda: made.append(_links(Path(folder) / "links.csv")))
    for links in made:
        for number, main in links.goes_by.items():
            spaces = [space for space, _ in links.numbers_of(number)]
            assert len(spaces) == len(set(spaces))
            assert links.goes_by[main] == main
    return is_refused


def _links(path: Path) -> ClientLinks:
    try:
        return read_client_links(path, Spaces(SPACES))
    except ValueError as error:  # as in a clinic file
        raise Unusable(str(error)) from None


def requests_file(data: bytes, place: Place) -> bool:
    """The requests met, but for the erasures themselves."""
    folders = erasure_requests.Folders(place.warehouse)
    folders.erasure_requests.write_bytes(data)
    with pytest.MonkeyPatch.context() as patched:
        load = SimpleNamespace(load_id=2, cleaned=Cleaned(), troubles=Troubles())
        patched.setattr(erasure_requests, "forget", lambda order, person: load)
        patched.setattr(erasure_requests, "still_holding", lambda order, exports, person: ["a.csv"])
        fulfil = lambda: erasure_requests.fulfil(place.exports, place.clinic, place.warehouse, lambda line: None)  # noqa: E731
        is_refused = refused(fulfil)
    if not is_refused:
        assert erasure_requests.waiting(folders) == []
    folders.erasure_requests.unlink()
    folders.still_holding.unlink(missing_ok=True)
    return is_refused


def spoil(strategy: st.SearchStrategy[bytes], taken: Callable[[bytes], bool], times: int, number: int) -> int:
    """Spoil a file so many times; how many of them were refused."""
    found = []

    @seed(number)
    @settings(KEPT, max_examples=times)
    @given(strategy)
    def each(data: bytes) -> None:
        found.append(taken(data))

    each()
    return sum(found)


def spoil_requests(place: Place, times: int, number: int) -> int:
    """The same with requests to a published clinic."""
    return spoil(damaged(REQUESTS.encode()), lambda data: requests_file(data, place), times, number)


FILES = {
    "clinic.toml": (spoilt(CLINIC), clinic_file, CLINIC),
    "an instrument": (spoilt(INSTRUMENT), instrument_file, INSTRUMENT),
    "client links": (damaged(LINKS.encode()), links_file, LINKS),
}


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_is_taken(name):
    assert not FILES[name][1](FILES[name][2].encode())


@pytest.mark.parametrize("name", FILES)
def test_a_spoilt_file_is_taken_or_refused_in_one_sentence(name):
    strategy, taken, _ = FILES[name]
    assert 0 < spoil(strategy, taken, TIMES, 7) < TIMES


def test_spoilt_requests_of_erasure_are_met_or_refused_in_one_sentence(shortly_published):
    assert not requests_file(REQUESTS.encode(), shortly_published)
    assert 0 < spoil_requests(shortly_published, TIMES, 7) < TIMES


@given(st.lists(st.tuples(st.sampled_from(SPACES), st.integers(0, 3), st.sampled_from(SPACES), st.integers(0, 3))))
def test_links_join_as_a_plain_search_of_the_lines_does(lines):
    text = "".join(f"{a},{m},{b},{n}\n" for a, m, b, n in lines)
    numbers = list(dict.fromkeys(each for a, m, b, n in lines for each in ((a, str(m)), (b, str(n)))))
    beside = {each: {each} for each in numbers}
    for _ in numbers:
        for a, m, b, n in lines:
            together = beside[a, str(m)] | beside[b, str(n)]
            beside[a, str(m)] = beside[b, str(n)] = together
    may_be = all(len({space for space, _ in group}) == len(group) for group in beside.values())
    with TemporaryDirectory() as folder:
        (Path(folder) / "links.csv").write_text(text)
        if not may_be:
            assert refused(lambda: _links(Path(folder) / "links.csv"))
            return
        links = _links(Path(folder) / "links.csv")
    assert {each: links.goes_by.get(each, each) for each in numbers} == {
        each: min(beside[each], key=numbers.index) for each in numbers
    }
