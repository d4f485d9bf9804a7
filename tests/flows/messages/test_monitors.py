"""What watches the nights from outside: a heartbeat, and a file of metrics."""

import http.server
import stat
import threading
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rapport.flows import nightly
from rapport.flows.messages import heartbeat, metrics
from rapport.flows.messages.heartbeat import beat
from rapport.flows.messages.metrics import HELP, text_of, write_metrics
from rapport.flows.order import place_order
from rapport.flows.steps.changed_definitions import fingerprints, readings
from rapport.warehouse.errors import RapportError
from rapport.warehouse.published.monitored_numbers import Sample
from tests.clinics.nights import APPOINTMENTS, held
from tests.flows.steps.test_nightly_command import TONIGHT, tell_to_file, told


@contextmanager
def monitor(*statuses: int):
    """A monitor that answers with these, the last of them ever after: its address, and what it was told."""
    heard, left = [], list(statuses)

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as found:
        threading.Thread(target=found.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}/ping/secret", heard
        found.shutdown()


@pytest.fixture
def watched(short_yesterday):
    """Yesterday's clinic, whose file names a place for its metrics."""
    text = short_yesterday.clinic.read_text()
    short_yesterday.clinic.write_text(f'name = "north"\nmetrics = "node.prom"\n{tell_to_file(short_yesterday)}{text}')
    return short_yesterday


def read_metrics(place) -> dict[tuple, float]:
    """The file as Prometheus reads it: samples by metric and labels but for the clinic's name, which each has."""
    families = text_string_to_metric_families((place.folder / "node.prom").read_text(encoding="utf-8"))
    samples = [sample for family in families for sample in family.samples]
    assert {sample.labels.pop("clinic") for sample in samples} == {"north"}
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_a_night_tells_a_monitor_of_its_start_and_how_it_ended(watched, run_night_here):
    with monitor(200) as (address, heard):
        (watched.warehouse / "private/heartbeat").write_text(f"{address}\n")
        assert run_night_here(watched, TONIGHT, "--check").returncode == 0
        assert heard == []
        assert run_night_here(watched, TONIGHT).returncode == 0
        assert heard == [("/ping/secret/start", ""), ("/ping/secret", "load 2, 30 records loaded")]
        spoiled = watched.deliver("appointments_2026-11-20 Waldburga.csv", "a,b", ["1,2"])
        assert run_night_here(watched, "2026-11-20T12:00").returncode == 1
        assert heard[2:] == [("/ping/secret/start", ""), ("/ping/secret/1", "the night ended with status 1")]
        spoiled.unlink()
        watched.clinic.write_text("quarantine_limt = 0.2\n" + watched.clinic.read_text())
        assert run_night_here(watched, TONIGHT).returncode == 2
        assert heard[4:] == [("/ping/secret/2", "the night ended with status 2")]


def test_a_source_that_is_overdue_is_in_the_line_and_no_failure(watched, run_night_here, monkeypatch):
    text = watched.clinic.read_text().replace("[sources.appointments]", '[sources.appointments]\nevery = "1 day"')
    watched.clinic.write_text(text)
    with monitor(200) as (address, heard):
        monkeypatch.setenv("RAPPORT_HEARTBEAT", f"{address}/")
        assert run_night_here(watched, "2026-11-22T12:00").returncode == 4
    assert heard[1] == ("/ping/secret", "load 2, 30 records loaded, 1 source late")
    found = read_metrics(watched)
    assert found["rapport_night_exit_status",] == 4
    assert (found["rapport_source_late", "appointments"], found["rapport_source_late", "responses"]) == (1, 0)


def test_a_monitor_that_does_not_answer_is_asked_twice_and_fails_nothing(tmp_path, monkeypatch, capsys):
    with monitor(503, 200) as (address, heard):
        monkeypatch.setenv("RAPPORT_HEARTBEAT", f"{address}?key=1")
        beat(tmp_path, "start")
        assert [path for path, _ in heard] == ["/ping/secret/start?key=1"] * 2
    assert capsys.readouterr().err == ""
    for nowhere in (address, "file:///etc/passwd", "http://[secret", "secret", "http://127.0.0.1:secret/"):
        monkeypatch.setenv("RAPPORT_HEARTBEAT", nowhere)
        beat(tmp_path)
        said = capsys.readouterr().err
        assert said == "a heartbeat did not arrive; check RAPPORT_HEARTBEAT or private/heartbeat\n"


def test_a_night_s_process_that_was_killed_is_told_to_the_monitor_too(watched, monkeypatch):
    run = SimpleNamespace(parameters={"clinic": str(watched.clinic), "warehouse": str(watched.warehouse)})
    with monitor(200) as (address, heard):
        monkeypatch.setenv("RAPPORT_HEARTBEAT", address)
        nightly.killed(None, run, None)
    assert [path for path, _ in heard] == ["/ping/secret/1"]
    assert read_metrics(watched)["rapport_night_exit_status",] == 1


def test_metrics_say_what_the_books_say_and_after_a_failed_night_what_stands(watched, run_night_here):
    rows = [*(held(client, 18) for client in range(6)), "A9,C9,2026-11-18T10:00,nowhere,T1"]
    watched.deliver("appointments_2026-11-19.csv", APPOINTMENTS, rows)
    assert run_night_here(watched, TONIGHT).returncode == 0
    found, path = read_metrics(watched), watched.folder / "node.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert (found["rapport_night_exit_status",], found["rapport_load",], found["rapport_waiting_rows",]) == (0, 2, 1)
    assert found["rapport_records", "responses", "loaded"] == 24
    ((records,),) = watched.ask("SELECT sum(record_count) FROM load.files WHERE load_id = 2")
    assert sum(value for key, value in found.items() if key[0] == "rapport_records") == records
    ((published, data_to),) = watched.ask(
        "SELECT epoch(finished_at), epoch(data_to) FROM load.current JOIN load.loads USING (load_id)"
    )
    assert found["rapport_published_timestamp_seconds",] == pytest.approx(published, abs=1)
    assert found["rapport_data_timestamp_seconds",] == data_to
    assert found["rapport_file_bytes", "analysts"] == watched.published.stat().st_size
    steps = {key[1] for key in found if key[0] == "rapport_night_seconds"}
    assert {"begin", "read", "compute tables"} <= steps
    assert {key[0] for key in found} == set(HELP)
    watched.drop("appointments_2026-11-20.csv", b"")
    assert run_night_here(watched, "2026-11-20T12:00").returncode == 1
    assert read_metrics(watched) == found | {("rapport_night_exit_status",): 1}


@pytest.mark.parametrize("spoil", [True, False])
def test_what_cannot_be_read_is_left_out_and_said(watched, spoil):
    if spoil:
        watched.published.resolve().chmod(0o600)
        watched.published.resolve().write_bytes(b"spoilt")
    else:
        watched.published.unlink()
    wrong = write_metrics(watched.clinic, watched.warehouse, 2)
    assert bool(wrong and wrong.startswith("the metrics hold the exit status alone")) == spoil
    assert read_metrics(watched)["rapport_night_exit_status",] == 2
    assert ("rapport_load",) not in read_metrics(watched)


def test_metrics_that_cannot_be_written_are_told_and_fail_no_night(watched, run_night_here):
    watched.clinic.write_text(watched.clinic.read_text().replace("node.prom", "nowhere/node.prom"))
    assert run_night_here(watched, TONIGHT).returncode == 0
    ((message,),) = told(watched)
    assert message == (
        "Rapport: published, but its metrics failed: The metrics could not be written (No such file or directory); "
        "check metrics in the clinic file."
    )


def test_metrics_of_a_clinic_file_that_cannot_be_used_say_its_status(watched, run_night_here):
    watched.clinic.write_text("quarantine_limt = 0.2\n" + watched.clinic.read_text())
    assert run_night_here(watched, TONIGHT).returncode == 2
    found = read_metrics(watched)
    assert (found["rapport_night_exit_status",], found["rapport_load",]) == (2, 1)


def test_a_name_with_quotes_keeps_the_file_readable():
    labels = {"source": 'a"b\\c\nd'}
    (family,) = text_string_to_metric_families(text_of([Sample("rapport_load", labels, 3)], "north"))
    assert family.samples[0][:3] == ("rapport_load", {"clinic": "north", **labels}, 3)


def test_a_file_half_written_is_never_in_its_place(watched, monkeypatch):
    write_metrics(watched.clinic, watched.warehouse, 0)
    before = read_metrics(watched)

    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(metrics.Path, "write_text", broken)
    assert "No space left" in write_metrics(watched.clinic, watched.warehouse, 1)
    assert read_metrics(watched) == before


def test_name_metrics_and_whom_to_tell_cause_nothing_to_be_read_or_computed_again(watched):
    def marks():
        order = place_order(watched.exports, watched.clinic, watched.warehouse, TONIGHT)
        return fingerprints(order), readings(order.clinic)

    before = marks()
    text = watched.clinic.read_text()
    watched.clinic.write_text(text.replace("north", "south").replace("node", "other").replace("tell.py", "say.py"))
    assert marks() == before
    assert watched.clinic.read_text() != text


def test_what_is_told_outside_is_named_in_a_failure_of_the_night_alone(watched, monkeypatch):
    heard = []
    monkeypatch.setattr(heartbeat, "_took", lambda *what: heard.append(what) or True)
    monkeypatch.setenv("RAPPORT_HEARTBEAT", "http://monitor")
    from rapport.flows.messages.tell import telling_failure  # noqa: PLC0415

    with suppress(RapportError), telling_failure(watched.clinic, watched.warehouse, what="verification"):
        raise RapportError("it does not follow")
    assert heard == []
    assert not (watched.folder / "node.prom").exists()
