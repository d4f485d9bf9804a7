"""The benchmark's inputs, its floor and its table. What a night costs is printed, never asserted."""

import polars as pl
import pytest
from rich.console import Console

from rapport.flows.bench import __main__ as bench
from rapport.flows.bench import history, report, rounds
from rapport.flows.bench.history import nights_after, write_history
from rapport.flows.bench.inputs import Inputs, write_inputs
from rapport.flows.bench.without_metrics import TABLES
from rapport.flows.bench.work import PIECES
from rapport.warehouse.clinic_file.clinic import read_clinic


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Inputs:
    return write_inputs(tmp_path_factory.mktemp("bench"), clients=120)


def test_the_clinic_file_reads_appointments_and_surveys_and_nothing_else(inputs):
    assert [source.name for source in read_clinic(inputs.clinic).sources] == ["appointments", "surveys"]
    assert len(list((inputs.folder / "exports").iterdir())) == 4


def test_each_night_is_later_than_its_own_files_and_before_the_next(inputs):
    assert [inputs.as_of(night) for night in (0, 1)] == ["2026-11-19T03:00", "2026-11-20T03:00"]


def test_everything_again_holds_all_of_the_first_night_and_what_changed_since(inputs):
    before, changed, again = ([file.read_text().splitlines() for file in inputs.files(night)] for night in range(3))
    for key_size, first, increment, whole in zip((1, 3), before, changed, again, strict=True):
        assert len(increment) > 1
        assert {*increment} <= {*whole}
        keys, known = ({tuple(line.split(",")[:key_size]) for line in lines} for lines in (whole, first))
        assert known <= keys


def test_the_floor_reads_every_record_of_the_first_night(inputs, tmp_path):
    figures = rounds.start("floor", tmp_path / "floor.duckdb", inputs.folder)
    written = [pl.read_csv(file, infer_schema=False).height for file in inputs.files(0)]
    assert list(figures["rows"].values()) == written


def _piece(cpu: float) -> dict:
    steps = [["read", cpu / 2, cpu, 7], ["publish", cpu / 2, cpu, 0]]
    return {"cpu": cpu, "wall": cpu, "peak": 2**30, "startup": 1.0, "rows": {"scores": 5}, "steps": steps}


def test_the_figure_is_the_median_of_the_ratios_of_each_round(inputs):
    made = [
        {"floor": _piece(floor), "first night": _piece(first)} | dict.fromkeys(rounds.NIGHTS[1:], _piece(1.0))
        for floor, first in ((1.0, 3.0), (2.0, 4.0), (4.0, 40.0))
    ]
    assert rounds.ratio(made, "first night") == 3.0
    console = Console(record=True, width=100)
    report.show(console, "XS", inputs, made)
    assert "first night │ 3.00" in " ".join(console.export_text().split())


def test_a_day_brings_the_same_rows_to_a_step_whatever_history_lies_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr("rapport.flows.pages.draw.draw_pages", lambda order: [])
    monkeypatch.setattr(history, "start", lambda piece, *arguments: PIECES[piece](*map(str, arguments)))
    write_history(tmp_path, clients=16)
    touched = []
    for times in (1, 10):
        (tmp_path / str(times)).mkdir()
        night = nights_after(tmp_path, times, tmp_path / str(times), "all", ("increment",))["increment"]
        touched.append({step: rows for step, _, _, rows in night["steps"]})
    assert touched[0] == touched[1]
    assert all(touched[0][step] > 0 for step in ("read", "check records", "keep history", "compute tables"))


def test_without_metrics_a_night_fills_the_tables_of_the_records_alone(inputs, tmp_path):
    exports = tmp_path / "exports"
    inputs.deliver(0, exports)
    night = PIECES["night"](str(exports), str(inputs.clinic), str(tmp_path / "warehouse"), inputs.as_of(0), "records")
    assert {*night["rows"]} == {*TABLES}
    assert night["rows"]["alliance"] > 0


def test_the_command_tells_the_rounds_it_was_asked_for(tmp_path, monkeypatch, capsys):
    whole = {"floor": _piece(1.0)} | dict.fromkeys(rounds.NIGHTS, _piece(2.0))
    monkeypatch.setattr(bench, "one_round", lambda *_: whole.items())
    monkeypatch.setattr("sys.argv", ["bench", "--size", "XS", "--rounds", "2", "--folder", str(tmp_path / "bench")])
    bench.main()
    said = capsys.readouterr().out
    assert "2.00" in said
    assert "AllianceSurveys" in said
    assert list((tmp_path / "bench").iterdir()) == []
