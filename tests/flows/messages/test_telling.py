"""Told once, told well: what operators hear of a trouble, how often, and over which channel."""

import http.server
import json
import re
import sys
import threading
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from rapport.flows.messages import tell
from rapport.flows.messages.channels import Channels, channels
from rapport.flows.messages.tell import Operators, open_notebook
from rapport.flows.ops import freshness
from rapport.flows.order import place_order
from rapport.flows.troubles import Troubles
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import NightRunning, RapportError, Refused, Unusable
from tests.clinics.nights import CLINIC, open_place

FIRST = datetime(2026, 11, 18, 9, 5, tzinfo=UTC)
BROKEN = RapportError("the disk is full; make room")
OTHER = RapportError("no file matches; check --exports")


@dataclass(frozen=True)
class Heard(Channels):
    """Channels that keep what they are given; `deaf` ones take nothing."""

    command: tuple[str, ...] = ("x",)
    addresses: tuple[str, ...] = ()
    deaf: bool = False
    messages: list[str] = field(default_factory=list)

    def send(self, title: str, text: str) -> bool:
        if not self.deaf:
            self.messages.append(f"{title}: {text}")
        return not self.deaf


@pytest.fixture
def hear(tmp_path):
    """Tell the operators something at an hour after the first trouble; what they hear of it."""
    (tmp_path / "private").mkdir()

    def after(hours: float, tell, *, deaf: bool = False) -> list[str]:
        heard = Heard(deaf=deaf)
        tell(Operators(heard, open_notebook(tmp_path, UTC), FIRST + timedelta(hours=hours)))
        return heard.messages

    return after


def failed(error):
    return lambda operators: operators.report_failure(error)


def published(*late):
    return lambda operators: operators.report_publication(7, list(late))


def test_a_failure_is_told_with_its_reason_what_stands_and_where_to_read_on(hear):
    assert hear(0, failed(BROKEN)) == [
        "Rapport: the night failed: The disk is full; make room. "
        "Yesterday's warehouse stands; RUNBOOK.md, 'Exit status 1', says more."
    ]
    (message,) = hear(0, failed(Unusable("the key is lost; restore it")))
    assert "'Exit status 2'" in message


def test_a_repeated_failure_is_told_once_a_day_with_its_count_and_its_end_once(hear):
    heard = [hear(hours, failed(BROKEN)) for hours in (0, 0.1, 5, 19.9)]
    assert [len(each) for each in heard] == [1, 0, 0, 0]
    (message,) = hear(23.9, failed(BROKEN))
    assert "The disk is full; make room (met 5 times since Wednesday 2026-11-18 09:05)." in message
    assert hear(24, failed(BROKEN)) == []
    assert hear(26, published()) == [
        "Rapport: well again: The night publishes again (load 7); "
        "the trouble was met 6 times, first on Wednesday 2026-11-18 09:05."
    ]
    assert hear(27, published()) == []
    assert len(hear(28, failed(BROKEN))) == 1


def test_another_reason_is_told_at_once_and_going_back_and_forth_is_not_told_again(hear):
    heard = [hear(hour, failed(error)) for hour, error in enumerate((BROKEN, OTHER, BROKEN, OTHER))]
    assert [len(each) for each in heard] == [1, 1, 0, 0]


def test_a_message_that_nobody_took_is_told_the_next_time(hear):
    assert hear(0, failed(BROKEN), deaf=True) == []
    assert len(hear(1, failed(BROKEN))) == 1


def test_a_clock_set_back_does_not_silence_a_failure(hear):
    hear(0, failed(BROKEN))
    assert len(hear(-48, failed(BROKEN))) == 1


def test_overdue_sources_are_one_message_and_each_is_told_when_it_comes_again(hear):
    (message,) = hear(0, published("surveys", "visits"))
    assert message.startswith("Rapport: a source is overdue: The source surveys is overdue: ask why its export did not")
    assert "The source visits is overdue" in message
    assert hear(2, published("surveys", "visits")) == []
    (message,) = hear(3, published("visits"))
    assert "The source surveys is well again; the trouble was met 2 times" in message
    assert "visits" not in message


def test_a_question_that_fails_and_pages_that_could_not_be_drawn_are_told_beside_the_night(hear):
    (message,) = hear(
        0,
        lambda operators: operators.report_publication(7, [], Troubles(["who_stays"], "the pages could not be drawn")),
    )
    assert message.startswith("Rapport: published, but a question or the pages failed: The question who_stays failed")
    assert "mend dashboards/who_stays.sql. The pages could not be drawn." in message
    (message,) = hear(1, published())
    assert "The question who_stays is well again; the trouble was met once" in message
    assert "The drawing of the pages is well again" in message


def test_a_damaged_file_that_the_night_went_around_is_told_beside_it(hear):
    damaged = "shared/versions/1/rapport_safe.duckdb is damaged, so the safe file has new figures"
    (message,) = hear(0, lambda operators: operators.report_publication(7, troubles=Troubles(damaged=[damaged])))
    assert message == f"Rapport: published, but not all is well: S{damaged[1:]}."
    assert "The warehouse folder is well again" in hear(1, published())[0]


def test_a_bad_intake_is_over_when_a_good_file_of_its_source_is_read_and_not_before(hear):
    bad = Troubles(to_look_at={"intake of visits": "the source visits: file 1 has 2 of 3 records quarantined"})
    (message,) = hear(0, lambda operators: operators.report_publication(7, troubles=bad))
    assert message == f"Rapport: published, but not all is well: T{bad.to_look_at['intake of visits'][1:]}."
    assert hear(24, lambda operators: operators.report_publication(8, read=["surveys"])) == []
    (message,) = hear(48, lambda operators: operators.report_publication(9, read=["visits"]))
    assert "The intake of visits is well again; the trouble was met once" in message


def test_metrics_that_could_not_be_written_are_told_beside_the_night(hear):
    broken = "the metrics could not be written (Permission denied)"
    (message,) = hear(0, lambda operators: operators.report_publication(7, metrics=broken))
    assert message == "Rapport: published, but its metrics failed: T" + broken[1:] + "."
    assert "The file of metrics is well again" in hear(1, published())[0]


def test_a_stale_warehouse_is_told_and_the_night_that_mends_it_says_so(hear):
    line = "stale: the night due on Thursday 2026-11-19 03:00 should have published"
    stale = lambda operators: operators.report_freshness(line, is_fresh=False)  # noqa: E731
    assert hear(0, stale) == [f"Rapport: no fresh warehouse: {line}."]
    assert hear(1, stale) == []
    assert "The warehouse is fresh again (load 7); the trouble was met 2 times" in hear(2, published())[0]
    assert hear(3, lambda operators: operators.report_freshness("fresh", is_fresh=True)) == []


@pytest.mark.parametrize(
    "written",
    [
        '{"night": ',
        '{"night": {}}',
        '{"night": {"since": "2026-11-18T09:05", "count": "once", "told": {}}}',
        '{"night": {"since": "2026-11-18T09:05", "count": 1, "told": {"the disk": "2026-11-18T09:05"}}}',
        "[" * 9999,
    ],
)
def test_a_notebook_that_cannot_be_read_silences_nothing(hear, tmp_path, written):
    hear(0, failed(BROKEN))
    (tmp_path / "private/told.json").write_text(written)
    assert len(hear(1, failed(BROKEN))) == 1


@pytest.mark.parametrize(("error", "count"), [(BROKEN, 1), (NightRunning("another night runs"), 0)])
def test_a_second_night_is_no_failure(tmp_path, monkeypatch, error, count):
    (tmp_path / "private").mkdir()
    heard = Heard()
    monkeypatch.setattr(tell, "channels", lambda clinic, warehouse: heard)
    with pytest.raises(RapportError), tell.telling_failure(tmp_path / "none.toml", tmp_path):
        raise error
    assert len(heard.messages) == count


def test_a_refused_file_is_told_without_its_name(hear):
    refused = Refused("is empty; export it again", label="file 1a2b (visits_*.csv)", name="visits_Waldburga.csv")
    (message,) = hear(0, failed(refused))
    assert "File 1a2b (visits_*.csv) is empty; export it again." in message
    assert "Waldburga" not in message


@contextmanager
def webhook():
    """A server that keeps what is posted to it."""
    posted = []

    class Post(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Post)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kept_in", ("the environment", "the private tree"))
def test_a_trial_message_goes_to_the_command_and_through_apprise(tmp_path, monkeypatch, capsys, kept_in):
    place = open_place(tmp_path / "clinic")
    script = tmp_path / "tell.py"
    script.write_text("import pathlib, sys; pathlib.Path(__file__).with_suffix('.txt').write_text(sys.argv[-1])")
    place.clinic.write_text(f"on_failure = \"{sys.executable} '{script}'\"\n{CLINIC}")
    with webhook() as (address, posted):
        if kept_in == "the environment":
            monkeypatch.setenv("RAPPORT_TELL", address)
        else:
            (place.warehouse / "private/tell").write_text(f"{address}\n")
        assert tell.main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 0
    assert [(each["title"], each["message"]) for each in posted] == [
        ("Rapport: a trial", "This is a trial message; nothing has happened.")
    ]
    said = script.with_suffix(".txt").read_text()
    assert said == "Rapport: a trial: This is a trial message; nothing has happened."
    assert capsys.readouterr().out == "The trial message was accepted.\n"


def test_the_command_inherits_no_key_no_address_and_no_password(tmp_path, monkeypatch):
    script = tmp_path / "tell.py"
    script.write_text(
        "import os, pathlib; pathlib.Path(__file__).with_suffix('.txt').write_text('\\n'.join(os.environ))"
    )
    for name in ("RAPPORT_KEY", "RAPPORT_ENCRYPTION_KEY_FILE", "RAPPORT_TELL", "PREFECT_API_AUTH_STRING", "OF_HIS_OWN"):
        monkeypatch.setenv(name, "secret")
    assert Channels((sys.executable, str(script)), ()).send("Rapport", "a trial")
    inherited = script.with_suffix(".txt").read_text().splitlines()
    assert {"PATH", "OF_HIS_OWN"} <= set(inherited)
    assert [name for name in inherited if name.startswith(("RAPPORT_", "PREFECT_"))] == []


def test_an_error_that_nobody_foresaw_is_told_too_and_says_no_value(tmp_path, monkeypatch):
    (tmp_path / "private").mkdir()
    heard = Heard()
    monkeypatch.setattr(tell, "channels", lambda clinic, warehouse: heard)
    with pytest.raises(RapportError, match="broke in"), tell.telling_failure(tmp_path / "none.toml", tmp_path):
        raise KeyError("Waldburga")
    (message,) = heard.messages
    assert "The night broke in flows/messages/tell.py, line " in message
    assert "Waldburga" not in message


@pytest.mark.parametrize(
    "broken",
    [
        ["rapport.flows.order.read_clinic"],
        ["rapport.warehouse.clinic_file.clinic.schedule_of", "rapport.warehouse.clinic_file.schedule.schedule_of"],
        ["rapport.warehouse.toml_files.tomllib.loads"],
    ],
)
def test_a_fault_of_rapport_before_the_night_is_told_by_the_clinic_s_own_command(tmp_path, monkeypatch, broken):
    """Whom to tell stands in the file that the broken code reads."""
    place, heard, loads = open_place(tmp_path / "clinic"), [], tomllib.loads
    place.clinic.write_text(f"on_failure = \"tell 'the operators'\"\n{CLINIC}")
    monkeypatch.setattr(Channels, "send", lambda self, title, text: heard.append((*self.command, text)) or True)

    def breaks(text, *more):
        return loads(text) if isinstance(text, str) and "\n" not in text else {}["Waldburga"]

    for code in broken:
        monkeypatch.setattr(code, breaks)
    with pytest.raises(RapportError), tell.telling_failure(place.clinic, place.warehouse):
        place_order(place.exports, place.clinic, place.warehouse)
    ((*command, message),) = heard
    assert command == ["tell", "the operators"]
    assert re.match(r"The night broke in (flows|warehouse)/[\w/]+\.py, line ", message)
    assert "this is a fault of Rapport" in message
    assert "Waldburga" not in message


def test_a_channel_that_does_not_work_is_said_on_the_terminal_without_its_address(tmp_path, monkeypatch, capsys):
    place = open_place(tmp_path / "clinic")
    arguments = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert tell.main(arguments) == 2
    assert "nobody can be told: set on_failure" in capsys.readouterr().err
    monkeypatch.setenv("RAPPORT_TELL", "json://secret@127.0.0.1:1 nonsense")
    place.clinic.write_text(f'on_failure = "nowhere.sh"\n{CLINIC}')
    assert tell.main(arguments) == 1
    said = capsys.readouterr().err
    assert "on_failure could not be run (FileNotFoundError)" in said
    assert "could not be sent to every address; check RAPPORT_TELL or private/tell" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "broken",
    [
        "quarantine_limt = 0.2",
        "quarantine_limit = 20",
        'time_zone = "Mars"',
        'metrics = "metrics.txt"',
        'keep_versions = "7',
        "[sources.visits",
        '[sources.visits]\nfiles = "café"'.encode("windows-1252"),
        "holidays = " + "[" * 2000,
    ],
)
def test_a_clinic_file_that_cannot_be_used_still_says_whom_to_tell(tmp_path, broken):
    before = b"on_failure = \"tell 'the operators' --now\"  # at night\n"
    (tmp_path / "clinic.toml").write_bytes(before + (broken if isinstance(broken, bytes) else broken.encode()))
    with pytest.raises(Unusable):
        read_clinic(tmp_path / "clinic.toml")
    assert tell.operators(tmp_path / "clinic.toml", tmp_path).channels.command == ("tell", "the operators", "--now")


@pytest.mark.parametrize(
    "text", ["[sources]\non_failure = 'x'\nbroken", "# on_failure = 'x'\nbroken", "on_failure = 3", "on_failure = ' '"]
)
def test_what_is_no_command_of_the_clinic_is_not_run(tmp_path, text):
    (tmp_path / "clinic.toml").write_text(text)
    assert channels(tmp_path / "clinic.toml", tmp_path).command == ()


def test_addresses_are_told_also_when_the_clinic_file_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("RAPPORT_TELL", "json://a json://b")
    (tmp_path / "clinic.toml").write_text("broken")
    assert channels(tmp_path / "clinic.toml", tmp_path) == Channels((), ("json://a", "json://b"))


def test_a_look_that_finds_a_stale_warehouse_tells_when_it_is_asked_to(published_copy, monkeypatch):
    place, heard = published_copy, Heard()
    monkeypatch.setattr(tell, "channels", lambda clinic, warehouse: heard)
    arguments = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse), "--as-of", "2026-11-20T07:00"]
    assert (freshness.main(arguments), heard.messages) == (1, [])
    assert freshness.main([*arguments, "--tell"]) == 1
    assert heard.messages[0].startswith("Rapport: no fresh warehouse: stale: the night due on Friday 2026-11-20 03:00")


@pytest.fixture
def published_copy(published, tmp_path):
    return published.copied_to(tmp_path / "clinic")
