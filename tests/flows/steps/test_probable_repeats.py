"""Records without a lasting id: an edited one is told as a probable repeat, and with `covers` it is replaced."""

import pytest

from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place

CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]
vanished_limit = 0.9

[sources.gf]
preset = "google_forms"
files = "gf_%Y-%m-%d.csv"
id_space = "gf"
client_id = "Client"
instrument = "srs"
rater = "client"
items = ["1", "2", "3", "4"]
{covers}

[sources.rc]
format = "redcap"
files = "rc_%Y-%m-%d.csv"
id_space = "rc"
{covers}
forms.srs = {{ instrument = "srs", rater = "client", items = ["srs_1", "srs_2", "srs_3", "srs_4"] }}

[sources.tb]
format = "table"
records = "appointments"
files = "tb_%Y-%m-%d.csv"
id_space = "tb"
{covers}
status.words = {{ scheduled = "scheduled" }}
"""
FORM, REDCAP = "Timestamp,Client,1,2,3,4", "record_id,srs_timestamp,srs_1,srs_2,srs_3,srs_4,srs_complete"
DIARY = "client_id,starts_at,status,therapist_id"
SAME_FORM, SAME_REDCAP = "18/11/2026 11:50:00,1402,9,9,9,9", "8,2026-11-17 11:50:00,8,8,8,8,2"
EDITED = {
    "gf": (FORM, ["17/11/2026 10:50:00,1401,8,8,8,8", SAME_FORM], ["19/11/2026 08:00:00,1401,8,8,3,8", SAME_FORM]),
    "rc": (
        REDCAP,
        ["7,2026-11-17 10:50:00,8,8,8,8,2", SAME_REDCAP],
        ["7-A,2026-11-17 10:50:00,8,8,8,8,2", SAME_REDCAP],
    ),
    "tb": (DIARY, ["1411,2026-11-25 10:00,scheduled,T1"], ["1411,2026-11-26 15:00,scheduled,T1"]),
}
KINDS = {"gf": "responses", "rc": "responses", "tb": "appointments"}


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


def night(tmp_path, covers: str, before: dict[str, list[str]], after: dict[str, list[str]]) -> tuple[Place, tuple]:
    place = open_place(tmp_path / "clinic", CLINIC.format(covers=covers))
    for day, rows in ((18, before), (19, after)):
        for source, lines in rows.items():
            place.deliver(f"{source}_2026-11-{day}.csv", EDITED[source][0], lines)
        done = place.night(f"2026-11-{day}T03:00", but_for_finished_tables)
    return place, done.troubles.warnings


def counts(place: Place) -> dict[str, int]:
    told = "SELECT source, count(*) FROM (SELECT source FROM {} UNION ALL SELECT source FROM {}) GROUP BY ALL"
    return dict(place.ask(told.format("responses", "appointments")))


def test_an_edited_row_a_renamed_record_and_a_moved_booking_are_told_and_both_stay(tmp_path):
    _, before, after = zip(*EDITED.values(), strict=True)
    place, told = night(tmp_path, "", dict(zip(EDITED, before, strict=True)), dict(zip(EDITED, after, strict=True)))
    assert [each[: each.index(" brought")] for each in told] == [
        f"1 {KINDS[source]} that the source {source}" for source in EDITED
    ]
    assert counts(place) == {"gf": 3, "rc": 3, "tb": 2}


def test_where_each_export_is_whole_the_new_ones_replace_them_and_nothing_is_told(tmp_path):
    _, before, after = zip(*EDITED.values(), strict=True)
    given = (dict(zip(EDITED, before, strict=True)), dict(zip(EDITED, after, strict=True)))
    place, told = night(tmp_path, 'covers = "all"', *given)
    assert (counts(place), told) == ({"gf": 2, "rc": 2, "tb": 1}, ())


NOT_TOLD = {
    "what is new beside all that was known": ("gf", [SAME_FORM], [SAME_FORM, "19/11/2026 08:00:00,1402,8,8,3,8"]),
    "an export of what is new alone": ("gf", [SAME_FORM], ["19/11/2026 08:00:00,1402,8,8,3,8"]),
    "an export of the last days": (
        "gf",
        ["16/11/2026 10:50:00,1403,8,8,8,8", "17/11/2026 10:50:00,1401,8,8,8,8", SAME_FORM],
        [SAME_FORM, "19/11/2026 08:00:00,1401,8,8,3,8"],
    ),
    "a session of a client after one that was held": (
        "tb",
        ["1411,2026-11-16 10:00,scheduled,T1"],
        ["1411,2026-11-26 15:00,scheduled,T1"],
    ),
}


@pytest.mark.parametrize("what", NOT_TOLD)
def test_what_comes_beside_other_records_is_no_repeat(tmp_path, what):
    source, before, after = NOT_TOLD[what]
    rest = {each: rows for each, (_, rows, _) in EDITED.items() if each != source}
    _, told = night(tmp_path, "", {**rest, source: before}, {**rest, source: after})
    assert told == ()
