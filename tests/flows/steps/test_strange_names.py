"""A name is text: quotes, semicolons, brackets, braces, colons and emoji in any of them change nothing.

Folders, files, sources, id spaces, sites, instruments with their scales, columns, record numbers.
"""

import csv
import io
import json
from datetime import date

import duckdb
import pytest

from rapport.flows.messages.report import print_report, report_of
from rapport.flows.ops.as_known_on import as_known_on
from rapport.flows.ops.forget import find_person, forget, still_holding
from rapport.flows.order import place_change, place_order
from rapport.warehouse.errors import Unusable
from rapport.warehouse.published.night_in_numbers import sample_query
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import but_for_finished_tables, open_place

NAME = 'o\'b "[/red]"; -- é{x}%s:y 👩‍⚕️ 東'
INSTRUMENT, SCALE = "o'b:{%", "t'ot{al}:x"
SITES = ("St. Mary's", "a;b\n--c")


def toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


CLINIC = f"""
time_zone = "America/Chicago"
licences = ["srs"]
quarantine_limit = 0.5
instruments = "inst'r [1]"
client_links = "li'nks.csv"
lists = {{ site = {toml(list(SITES))}, program = {toml([NAME])} }}

[sources.{toml("A" + NAME)}]
records = "appointments"
files = "app'o {{x}} [1]*.csv"
id_space = {toml(NAME)}
every = "1 day"
covers = "all"

[sources.{toml("E" + NAME)}]
records = "episodes"
files = "epi;*.csv"
id_space = {toml(NAME)}

[sources.{toml("W" + NAME)}]
format = "wide"
files = "wi'de*.csv"
id_space = "portal's"
client_id = "cli'ent"
completed_at = "wh\\"en"
instrument = {toml(INSTRUMENT)}
rater = "client"
items = ["a'", "b;"]
"""
OWN = f"""
title = "It's"
construct = "alliance"
respondents = ["client"]
timing = "session_end"
direction = "higher_better"
citation = "x'y"
licence = "free"
[items]
count = 2
minimum = 0
maximum = 4
step = 0.5
other."o'ther" = {{ items = [2], minimum = 0, maximum = 9, step = 1 }}
[scales.{toml(SCALE)}]
description = "All o'f them."
items = [1, 2]
score = "sum"
missing = "complete_only"
[thresholds."cu't"]
scale = {toml(SCALE)}
population = "al'l"
case = "< 3"
"""


def table(*rows: tuple) -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue().encode()


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """Two nights; the second reads what is new in a whole export. Out come the place and the first night's report."""
    place = open_place(tmp_path_factory.mktemp("strange") / 'O\'Brien; "x" [a] *', CLINIC)
    (place.folder / "inst'r [1]").mkdir()
    (place.folder / f"inst'r [1]/{INSTRUMENT}.toml").write_text(OWN, encoding="utf-8")
    (place.folder / "li'nks.csv").write_bytes(table(*((NAME, f"C'{n}", "portal's", f"P;{n}") for n in range(3))))
    held = [(f"A'{n}", f"C'{n}", "2026-11-03T10:00", "attended", f"T'{n % 2}", SITES[n % 2]) for n in range(4)]
    head = ("appointment_id", "client_id", "starts_at", "status", "therapist_id", "site")
    place.drop("app'o {x} [1]1.csv", table(head, *held))
    opened = [(f"E'{n}", f"C'{n}", "2026-11-01", NAME) for n in range(4)]
    place.drop("epi;1.csv", table(("episode_id", "client_id", "opened_on", "program"), *opened))
    answers = [(f"P;{n}", "2026-11-03 10:55", n, 10 if n == 3 else 9) for n in range(4)]
    place.drop("wi'de1.csv", table(("cli'ent", 'wh"en', "a'", "b;"), *answers))
    with few_tables():
        night = place.night("2026-11-18T12:00", but_for_finished_tables)
        more = ("A'9", "C'1", "2026-11-10T10:00", "attended", "T'1", SITES[0])
        place.drop("app'o {x} [1]2.csv", table(head, *held, more))
        place.night("2026-11-19T12:00", but_for_finished_tables)
    return place, night


def test_every_record_is_where_it_belongs(strange):
    place, _ = strange
    assert place.ask("SELECT source, count(*) FROM history.appointments GROUP BY ALL") == [("A" + NAME, 5)]
    assert place.ask("SELECT site, count(*) FROM sessions GROUP BY ALL ORDER BY ALL") == [(SITES[0], 3), (SITES[1], 2)]
    assert place.ask("SELECT DISTINCT program FROM episodes") == [(NAME,)]
    assert place.ask("SELECT unchanged_count, loaded_count FROM load.files WHERE load_id = 2") == [(4, 1)]
    assert place.ask("SELECT DISTINCT id_space FROM load.client_links") == [("portal's",)]
    scored = "SELECT instrument, scale, score FROM scores ORDER BY score"
    assert place.ask(scored) == [(INSTRUMENT, SCALE, score) for score in (9.0, 10.0, 11.0)]


def test_an_answer_off_the_range_of_a_strangely_named_instrument_is_held(strange):
    place, _ = strange
    assert place.ask("SELECT source, rule FROM load.quarantine") == [("W" + NAME, "value_out_of_range")]


def test_the_report_names_them_and_a_question_that_failed_takes_nothing_from_it(strange, capsys):
    place, night = strange
    assert sample_query(place.published) is None  # nights of few tables have no questions
    print_report(report_of(night))
    assert 'Ao\'b "[/red]"; --' in capsys.readouterr().out


def test_the_safe_file_is_written_into_a_strangely_named_folder(strange):
    place, _ = strange
    with duckdb.connect(str(place.warehouse / "shared/rapport-safe.duckdb"), read_only=True) as con:
        assert con.sql("SELECT load_id FROM load.current").fetchall() == [(2,)]


def test_a_path_that_duckdb_cannot_write_to_is_refused(strange, tmp_path):
    place = strange[0]
    with pytest.raises(Unusable, match=r"the path of ware\?house holds a question mark, .*; check --warehouse"):
        place_order(place.exports, place.clinic, tmp_path / "ware?house")
    with pytest.raises(Unusable, match="check --out"):
        as_known_on(place_change(place.clinic, place.warehouse), date(2026, 11, 20), tmp_path / "what?.duckdb")


def test_a_person_is_taken_out_of_every_version(strange, tmp_path):
    place = strange[0].copied_to(tmp_path / "O'Brien [b]")
    with few_tables():
        order = place_change(place.clinic, place.warehouse)
        person = find_person(order, "portal's", "P;1", None)
        assert forget(order, person).erased_rows >= 3
        assert len(list(still_holding(order, place.exports, person))) == 4
    assert place.ask("SELECT count(DISTINCT client_id) FROM sessions") == [(3,)]
