"""What a person writes by hand, spoilt: clinic.toml, an instrument's file, client links, requests of erasure."""

import json
import tomllib
from datetime import date, datetime, time

from hypothesis import strategies as st

from tests.breaking.damage import FORMATS, damaged

CLINIC = """\
time_zone = "America/Chicago"
schedule = "30 3 * * 1-6"
ready_within = "3 hours"
closed = ["saturday"]
holidays = ["2026-12-24 to 2027-01-01"]
quarantine_limit = 1
vanished_limit = 0.2
keep_versions = 7
keep_hours = 1
not_treatment = ["assessment"]
instruments = "own"
accepted = ["sai"]
licences = ["srs"]
client_links = "links.csv"
retired_spaces = ["lab"]
spaces = { practice = { was = "surgery" }, phq = { same_as = "practice" }, diary = { new_numbers = true } }
minimum_caseload = 15
cancellation_notice_hours = 24
protocol.srs = { raters = ["client"], first = 3, every = 4, age_from = 6, age_to = 17, since = 2026-01-31 }
lists = { site = ["North", "South"], program = ["Teens"], service = ["therapy"] }
alliance_sd = { srs = 4.5 }
shared = { profile = "nhs", therapists = true, minimum_clients = 20, minimum_therapists = 5 }

[sources.practice]
files = "practice_%Y-%m-%d*"
records = "appointments"
exported_at = "made_at"
every = "1 day"
covers = "90 days"
id_space = "practice"
nulls = ["NA", -99]
time_zone = "Europe/London"
decimal = "."
encoding = "utf-8"

[sources.diary]
preset = "theranest"
files = "diary*"
sheet = "Report"
header_row = 3
footers = ["Total"]
dates = "day_first"
constants = { site = "North" }
words.sex = { m = "male", f = 2 }
status = { cancelled_by = "client", words = { "Held + *" = "attended" } }
columns = { appointment_id = "Ref", client_id = "Client", starts_at = ["Date", "From"], status = ["State", "By"] }

[sources.portal]
format = "wide"
files = "portal*"
client_id = "id"
response_id = ["id", "when"]
completed_at = "when"
seconds = "took"
finished = "done"
points = { never = 0, always = 3 }
range = [1, 4]
ticked = false
instrument = "srs"
rater = { column = "who", words = { c = "client" } }
items = ["a", "b", "c", "d"]
scores = { total = "sum" }
""" + "\n".join(
    f'[sources."{name}"]\nfiles = "in {name}.*"\n' + section.replace("'", '"') for name, (section, _) in FORMATS.items()
)
SAMPLES = {name: data for name, (_, data) in FORMATS.items()} | {
    "practice": b"appointment_id,client_id,starts_at,status,made_at,site\n"
    + b"".join(b"A%d,%d,2026-03-0%dT10:00,attended,2026-03-10T01:00,North\n" % (n, n % 3, n) for n in range(1, 9)),
    "diary": b"Diary,,,,,,\n,,,,,,\nRef,Client,Date,From,State,By,Sex\n"
    + b"".join(b"%d,C%d,%d/3/2026,10:00,Held,,m\n" % (n, n % 3, n) for n in range(1, 9))
    + b"Total,8,,,,,\n",
    "portal": b"id,when,took,done,who,a,b,c,d,sum\n"
    + b"".join(b"%d,2026-03-0%d 10:55,60,1,c,1,2,3,4,20\n" % (n % 3, n) for n in range(1, 9)),
}
INSTRUMENT = """\
title = "Own"
construct = "alliance"
respondents = ["client", "caregiver"]
timing = "session_end"
direction = "higher_better"
citation = "Someone 2020"
licence = "free"
licence_needed = false
family = "own"
period = "today"
note = "A note."
age_from = 6
age_to = 17
window_hours = [1, 48]
status = "published"
source = "the paper"
missing = { rule = "prorate_min(3)", rounding = "half_away" }
reliable_change.a = { scale = "total", amount = 5, criterion = ">=", population = "all", z = 1.96 }
norms.n = { scale = "total", mean = 10, sd = 2.5, n = 300, sample = "students" }
reliability.r = { scale = "total", kind = "alpha", low = 0.8, high = 0.9, sample = "students" }
risk.r = { items = [6], at = ">= 1" }
caution = { below_age = 13, respondents = ["client"] }

[items]
count = 6
minimum = 0
maximum = 4
step = 1
reversed = [2]
optional = [3]
never = [2]
skipped = { 6 = 5 }
other.first = { items = [1], minimum = 0, maximum = 10, step = 0.1 }

[scales]
total = { description = "All.", items = [1, 2, 3, 4, 5, 6], score = "sum" }
part = { description = "Some.", items = [1, 2], score = "mean", missing = "complete_only", direction = "lower_better" }
lost = { description = "No key.", key_not_found = "nowhere", item_count = 3, minimum = 0, maximum = 9 }
both = { description = "Two.", adds = ["total"], subtracts = ["part"] }

[thresholds.cut]
scale = "total"
population = "children"
age_from = 6
sex = "female"
respondents = ["client"]
scheme = "cut"
of = "score"
case = ">= 10"
bands = { low = ">= 0", high = ">= 10" }
"""
LINKS = "space,id,space,id\npractice,1,portal,77\nportal,77,lab,5\nlab,5,practice,1\npractice,2,portal,78\n"
REQUESTS = 'space,client,since\nclinic,C1,\n"clinic",C2,2026-11-17\n\nclinic,C0,\n'

STRANGE = [
    *(
        float("inf"),
        float("-inf"),
        float("nan"),
        1e300,
        1e-300,
        -1,
        0,
        1,
        2,
        0.5,
        10**30,
        99999999999,
        2**31,
        True,
        False,
    ),
    *("", " ", "x", "all", "All", "client", "srs", "total", "part", "both", "theranest", "plain", "appointments", "*"),
    *("[/red]", 'o\'b; "x" --', "{x}", "%s", "a:b", "東京", "👩‍⚕️", "a\nb", "\x1f", "\x00", "\x7f", "²", "x" * 5000),
    *(
        "99999999999 days",
        "0 days",
        "1 day",
        "90 days",
        "localtime",
        "EST",
        "UTC",
        "%Q%Y",
        "%Y%Y",
        "[",
        "**",
        "#0",
        "#9",
    ),
    *("..", "/", "a/b", "é" * 300, ">= 1", "< nan", "prorate_min(99)", "sdq", "-99", "* * * * *", "0 3 31 2 *", "*/0"),
    *([], [[]], [""], ["a", "a"], ["srs", "srs"], [1, 1], [0, float("nan")], list(range(600)), {}, {"": ""}, {"a": {}}),
    *({"column": "x", "words": {}}, {"items": [1]}, {"scale": "total"}, {"description": "x", "adds": ["both"]}),
    *(date(1, 1, 1), date(9999, 12, 31), datetime(2026, 1, 1, 10), time(3)),
]
MARKS = [
    "'",
    '"',
    ";",
    "[/red]",
    "\n",
    " ",
    "{x}",
    "*",
    "%s",
    "%Y",
    ":x",
    "-",
    ".",
    "#1",
    "/",
    "é",
    "👩‍⚕️",
    "0",
    "\\",
    "^",
    "$",
]
VALUES = st.sampled_from(STRANGE) | st.text(max_size=8) | st.integers() | st.floats()


def toml(value: object) -> str:
    """A value in TOML, on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value.encode(errors="ignore").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{ {', '.join(f'{toml(key)} = {toml(each)}' for key, each in value.items())} }}"
        case int() | float():
            return repr(value)
    return value.isoformat()


def document(facts: dict) -> bytes:
    return "".join(f"{toml(key)} = {toml(value)}\n" for key, value in facts.items()).encode()


def _places(facts: object, path: tuple = ()) -> list[tuple]:
    """Every place in a document: a path of keys and list positions."""
    parts = facts.items() if isinstance(facts, dict) else enumerate(facts) if isinstance(facts, list) else ()
    return [each for key, value in parts for each in ((*path, key), *_places(value, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> bytes:
    """A TOML file with one to three places changed, taken away, named otherwise or doubled; or with damaged bytes."""
    if draw(st.integers(0, 4)) == 0:
        return draw(damaged(text.encode()))
    facts = tomllib.loads(text)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        *path, key = draw(st.sampled_from(_places(facts)))
        held = facts
        for step in path:
            held = held[step]
        kind = draw(st.sampled_from(["change", "change", "near", "near", "near", "name", "take", "add", "nest"]))
        if kind == "change":
            held[key] = draw(VALUES)
        elif kind == "near":
            held[key] = _near(draw, held[key])
        elif kind == "name" and isinstance(held, dict):
            held[_near(draw, str(key))] = held.pop(key)
        elif kind == "take":
            del held[key]
        elif kind == "nest":
            held[key] = _nested(held[key], draw(st.sampled_from([1, 2, 99, 150])))
        elif isinstance(held, dict):
            held[draw(st.text(max_size=5) | st.sampled_from([str(key), "a.b", "[/red]", "o'b", "a\nb"]))] = draw(VALUES)
        if not _places(facts):
            break
    return document(facts)


def _near(draw: st.DrawFn, value: object) -> object:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case str():
            place = draw(st.integers(0, len(value)))
            return value[:place] + draw(st.sampled_from(MARKS)) + value[place:]
        case int() | float():
            return draw(st.sampled_from([value + 1, value - 1, -value, value * 10, value * 10**6, value / 2, 0]))
        case list():
            return draw(st.sampled_from([value * 2, value[:-1], value[::-1], [*value, *value[:1]]]))
        case dict():
            return dict(reversed(value.items()))
    return value


def _nested(value: object, times: int) -> object:
    for _ in range(times):
        value = [value]
    return value
