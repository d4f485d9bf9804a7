"""The demo clinic: the same seed the same files, and every planted record what truth.json says of it."""

import csv
import json
import tomllib
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from rapport.flows import demo
from rapport.flows.demo.episodes import PROBLEMS, PROGRAMS, REFERRALS
from rapport.flows.demo.forms import FORMS
from rapport.warehouse.schema.columns import OWNERS

STATUSES = {
    "attended",
    "late_cancel",
    "cancelled_by_client",
    "cancelled_by_clinic",
    "no_show",
    "scheduled",
    "rescheduled",
}
CLOSURES = {"", "planned", "client_ended", "dropout", "transferred", "other"}
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1), datetime(2100, 1, 1)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    out = tmp_path_factory.mktemp("planted")
    demo.write(out, clients=240, nights=3, seed=3)
    return out


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    out = tmp_path_factory.mktemp("clean")
    demo.write(out, clients=240, nights=3, seed=3, clean=True, surveys="increment")
    return out


def records(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "exports" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files(out: Path, start: str) -> dict[str, list[dict[str, str]]]:
    return {path.name: records(out, path.name) for path in sorted((out / "exports").glob(f"{start}*"))}


def truth(out: Path) -> dict:
    return json.loads((out / "truth.json").read_text(encoding="utf-8"))


def is_time(text: str, form: str) -> bool:
    try:
        return LONG_AGO < datetime.strptime(text, form) < FAR_AHEAD
    except ValueError:
        return False


def repeats(rows: list[dict[str, str]], key: tuple[str, ...]) -> set[int]:
    """The record numbers of keys that a file holds more than once."""
    count = Counter(tuple(row[name] for name in key) for row in rows)
    return {at for at, row in enumerate(rows, 1) if count[tuple(row[name] for name in key)] > 1}


def appointment_faults(rows: list[dict[str, str]]) -> set[tuple[int, str]]:
    found = set()
    for at, row in enumerate(rows, 1):
        times = [row["starts_at"], row["cancelled_at"]]
        rules = {
            "client_id_missing": not row["client_id"],
            "appointment_id_missing": not row["appointment_id"],
            "starts_at_missing": not row["starts_at"],
            "unreadable": not all(is_time(text, "%Y-%m-%dT%H:%M:%S") for text in times if text),
            "status_unknown": row["status"] not in STATUSES,
            "duration_minutes_out_of_range": not 1 <= int(row["duration_minutes"]) <= 720,
        }
        found |= {(at, reason) for reason, broken in rules.items() if broken}
    return found


def episode_faults(rows: list[dict[str, str]]) -> set[tuple[int, str]]:
    found = set()
    for at, row in enumerate(rows, 1):
        dates = [text for text in (row["opened_on"], row["closed_on"]) if text]
        are_readable = all(is_time(text, "%Y-%m-%d") for text in dates)
        rules = {
            "client_id_missing": not row["client_id"],
            "opened_on_missing": not row["opened_on"],
            "unreadable": not are_readable,
            "closed_on_before_opened_on": are_readable and len(dates) == 2 and dates[1] < dates[0],
            "closure_unknown": row["closure"] not in CLOSURES,
        }
        found |= {(at, reason) for reason, broken in rules.items() if broken}
        assert row["presenting_problem"] in PROBLEMS
        assert row["program"] in PROGRAMS
        assert row["referral_source"] in REFERRALS
    return found


def survey_faults(rows: list[dict[str, str]]) -> set[tuple[int, str]]:
    forms = {form.name: form for form in FORMS}
    found = set()
    for at, row in enumerate(rows, 1):
        form = forms.get(row["redcap_repeat_instrument"])
        if not row["record_id"]:
            found.add((at, "client_id_missing"))
        if form is None:
            found |= set() if is_time(row["dob"], "%Y-%m-%d") else {(at, "unreadable")}
        else:
            found |= {(at, reason) for reason in response_faults(row, form)}
            assert all(not row[other] for name in forms if name != form.name for other in forms[name].columns)
    return found


def response_faults(row: dict[str, str], form) -> set[str]:
    given = [row[item] for item in form.items if row[item]]
    numbers = [float(text) for text in given if text.replace(".", "", 1).isdigit()]
    stamp = row[form.timestamp]
    is_known_time = stamp in ("", "[not completed]") or is_time(stamp, "%Y-%m-%d %H:%M:%S")
    is_readable = is_known_time and len(numbers) == len(given)
    is_in_range = all(form.low <= number <= form.high for number in numbers)
    return {r for r, ok in (("unreadable", is_readable), ("value_out_of_range", is_in_range)) if not ok}


def form_faults(rows: list[dict[str, str]]) -> set[tuple[int, str]]:
    """Of the clinic's own form, in which nothing is spoiled: one word for all that can be wrong with a row."""
    ranges = {"gbo": (0, 10), "myts": (1, 5), "elkin_responsiveness": (1, 5)}
    found = set()
    for at, row in enumerate(rows, 1):
        low, high = ranges[row["instrument"]]
        is_goal, is_observed = row["instrument"] == "gbo", row["rater"] == "observer"
        is_right = (
            low <= float(row["value"]) <= high
            and (row["about"] in OWNERS) == is_goal == row["item"].startswith("goal:")
            and bool(row["rater_id"]) == is_observed == (row["instrument"] == "elkin_responsiveness")
            and is_time(row["completed_at"], "%Y-%m-%d" if is_observed else "%Y-%m-%dT%H:%M:%S")
            and all(row[name] for name in ("response_id", "client_id", "appointment_id", "item"))
        )
        found |= set() if is_right else {(at, "wrong")}
    return found


def all_faults(out: Path) -> set[tuple[str, int, str]]:
    """What a plain reading of every file objects to, repeated keys apart."""
    readers = {"app": appointment_faults, "epi": episode_faults, "All": survey_faults, "res": form_faults}
    return {
        (name, at, reason)
        for start, faults in readers.items()
        for name, rows in files(out, start).items()
        for at, reason in faults(rows)
    }


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        demo.write(tmp_path / name, clients=40, nights=3, seed=5)
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("one", "two"))
    assert one == two
    demo.write(tmp_path / "two", clients=40, nights=3, seed=6)
    assert one["truth.json"] != (tmp_path / "two/truth.json").read_bytes()


def test_an_earlier_run_leaves_no_nights_behind(tmp_path):
    demo.write(tmp_path, clients=20, nights=3)
    (tmp_path / "exports/kept.csv").touch()
    told = demo.write(tmp_path, clients=20, nights=1)
    assert {path.name for path in (tmp_path / "exports").iterdir()} == {*told["files"], "kept.csv"}


@pytest.mark.parametrize("seed", (1, 7))
def test_the_truth_lists_exactly_what_a_plain_reading_objects_to(tmp_path, seed):
    told = demo.write(tmp_path, clients=240, nights=2, seed=seed)
    listed = [(d["file"], d["record"], d["reason"]) for d in told["defects"]]
    assert len({entry[:2] for entry in listed}) == len(listed)  # one reason each
    assert {entry for entry in listed if entry[2] != "conflicting_duplicate"} == all_faults(tmp_path)


def test_conflicting_records_share_their_key_and_differ(planted):
    keys = {
        "app": ("appointment_id", "client_id"),
        "epi": ("episode_id",),
        "All": ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance"),
    }
    told = truth(planted)
    for start, key in keys.items():
        for name, rows in files(planted, start).items():
            conflicts, same = (
                {d["record"] for d in told[kind] if d["file"] == name and d["reason"].endswith("duplicate")}
                for kind in ("defects", "duplicates")
            )
            assert repeats(rows, key) == conflicts | same | {at - 1 for at in same}
            assert all(rows[at - 1] == rows[at - 2] for at in same)
            assert len({tuple(rows[at - 1].values()) for at in conflicts}) == len(conflicts)


def test_every_kind_of_defect_is_planted_and_few_of_each(planted):
    told = truth(planted)
    for start, count in (("app", 7), ("epi", 6), ("All", 4)):
        assert len({d["reason"] for d in told["defects"] if d["file"].startswith(start)}) >= count
    assert told["duplicates"]
    for name, size in told["files"].items():
        share = sum(d["file"] == name for d in told["defects"] + told["duplicates"]) / max(size, 1)
        assert share < (0.03 if size >= 100 else 0.1), name


def test_a_clean_demo_plants_nothing_and_nobody_objects(clean):
    told = truth(clean)
    assert not told["defects"]
    assert not told["duplicates"]
    assert not all_faults(clean)
    for start, key in (
        ("app", ("appointment_id",)),
        ("epi", ("episode_id",)),
        ("res", ("response_id", "item")),
    ):
        assert not any(repeats(rows, key) for rows in files(clean, start).values())


def test_without_its_planted_records_the_demo_is_the_clean_one(planted, clean):
    told = truth(planted)
    out = {(d["file"], d["record"]) for d in told["defects"] + told["duplicates"]}
    for name, rows in (files(planted, "app") | files(planted, "epi") | files(planted, "res")).items():
        left = [row for at, row in enumerate(rows, 1) if (name, at) not in out]
        assert left == records(clean, name)


def test_later_nights_bring_only_what_is_new_or_changed(clean):
    known: dict[str, dict[str, str]] = {}
    for number, rows in enumerate(files(clean, "app").values()):
        assert all(known.get(row["appointment_id"]) != row for row in rows)
        assert number == 0 or len(rows) < 60
        known |= {row["appointment_id"]: row for row in rows}
    assert any(row["status"] == "scheduled" for row in known.values())


def test_survey_increments_add_up_to_the_whole_project(clean, tmp_path):
    demo.write(tmp_path, clients=240, nights=3, seed=3, clean=True, surveys="full")
    key = ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance")
    known = {}
    for rows in files(clean, "All").values():
        known |= {tuple(row[name] for name in key): row for row in rows}
    last = list(files(tmp_path, "All").values())[-1]
    assert known == {tuple(row[name] for name in key): row for row in last}


def test_an_appointment_is_scheduled_until_its_day_is_over(clean):
    for name, rows in files(clean, "app").items():
        night = date.fromisoformat(name[13:23])
        for row in rows:
            starts = datetime.fromisoformat(row["starts_at"])
            assert (row["status"] == "scheduled") == (starts.date() >= night)
            assert starts.date() < night + timedelta(days=14)
            assert starts.weekday() < 5
            assert 8 <= starts.hour < 19
            assert not row["cancelled_at"] or row["cancelled_at"] < row["starts_at"]


def test_each_response_of_the_own_form_comes_once_whole_after_an_attended_appointment_of_its_client(clean):
    booked = {row["appointment_id"]: row for rows in files(clean, "app").values() for row in rows}
    nights = files(clean, "res")
    brought = [{row["response_id"] for row in rows} for rows in nights.values()]
    assert min(map(len, brought)) > 0
    assert sum(map(len, brought)) == len(set.union(*brought))
    for name, rows in nights.items():
        for row in rows:
            held = booked[row["appointment_id"]]
            assert (held["client_id"], held["status"], held["service"]) == (row["client_id"], "attended", "therapy")
            assert held["starts_at"][:10] <= row["completed_at"][:10] < name[10:20]


def test_no_survey_is_answered_after_its_export(clean):
    for name, rows in files(clean, "All").items():
        night = name[21:31]
        stamps = {row[form.timestamp] for row in rows for form in FORMS} - {"", "[not completed]"}
        assert max(stamps) < night
        assert all("07:00:00" <= stamp[11:] <= "23:00:00" for stamp in stamps)


def test_the_clinic_file_names_the_columns_that_the_export_has(planted):
    clinic = tomllib.loads((planted / "clinic.toml").read_text(encoding="utf-8"))
    row = next(iter(files(planted, "All").values()))[0]
    forms = clinic["sources"]["surveys"]["forms"]
    assert list(forms) == [form.name for form in FORMS]
    for name, form in forms.items():
        assert {*form["items"], f"{name}_timestamp", form.get("therapist_id", "dob")} <= row.keys()
