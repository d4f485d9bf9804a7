"""Random nights against a plain model: what is known now, what was known after every night, and both ledgers."""

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import duckdb
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from rapport.flows.ops.inbox import discard
from rapport.flows.order import place_change
from rapport.flows.private.key import read_key
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.derived.why_it_moved import unbalanced
from rapport.warehouse.errors import RapportError
from rapport.warehouse.places.folders import Folders
from tests.breaking.history_model import ALL, COVERS, File, Held, Model, Row
from tests.breaking.watching import watching
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import LONG_AGO, STEPS, but_for_finished_tables, open_place

CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs"]
quarantine_limit = 1.0
vanished_limit = 1.0
keep_versions = 2
keep_hours = 0

[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"
covers = "all"
nulls = [{nulls}]

[sources.visits]
records = "appointments"
files = "visits_%Y-%m-%d*.csv"
covers = "4 days"
nulls = [{nulls}]

[sources.responses]
files = "responses_%Y-%m-%d*.csv"
nulls = [{nulls}]

[sources.surveys]
records = "responses"
files = "surveys_%Y-%m-%d*.csv"
covers = "4 days"
nulls = [{nulls}]
"""
FIRST_DAY = 10  # of November 2026
RECORDS = 5  # of each source
STEPS_OF_A_HISTORY = 10
VARIANTS = ("absent", "first", "second", "moved", "broken", "unmended", "twice", "conflicting", "broken_twice")
HEADERS = {
    "appointments": "appointment_id,client_id,starts_at,status,duration_minutes",
    "responses": "response_id,client_id,instrument,rater,completed_at,item,value",
}
KINDS = {source: "responses" if source in ("responses", "surveys") else "appointments" for source in COVERS}


def date_of(day: int) -> str:
    return f"2026-11-{day:02d}"


def file_of(source: str, day: int, letter: str, variants: list[str], nameless: bool) -> File:
    """A file of a source that holds each record in the variant that is named."""
    rows, lines = [], []
    write = _appointment if KINDS[source] == "appointments" else _response
    for number, variant in enumerate(variants):
        write(f"{source[0].upper()}{number}", number, variant, rows, lines)
    if nameless or not lines:
        write(None, 9, "first", rows, lines)
    return File(source, f"{source}_{date_of(day)}{letter}.csv", day, tuple(rows), tuple(lines))


def _appointment(record: str | None, number: int, variant: str, rows: list[Row], lines: list[str]) -> None:
    day = 5 + 2 * number + 3 * (variant == "moved")
    client = f"C{number % 3}"

    def add(status: str = "attended", minutes: str = "50", **more: object) -> None:
        said = (client, day, status, int(minutes) if minutes.isdigit() else None)
        to_come = (*said[:2], "scheduled", said[3])
        breaks = () if record else (("appointment_id_missing", "appointment_id"),)
        given = {"breaks": breaks, "to_come": to_come, **more}
        rows.append(Row(len(lines) + 1, record, said, day + 0.375, **given))
        lines.append(f"{record or ''},{client},{date_of(day)}T09:00,{status},{minutes}")

    bad, conflict = (("status_unknown", "status"),), (("conflicting_duplicate", ""),)
    {
        "absent": lambda: None,
        "first": add,
        "second": lambda: add("no_show"),
        "moved": add,
        "broken": lambda: add("gone?", breaks=bad),
        "unmended": lambda: add(minutes="n/a", breaks_until_mended=(("unreadable", "duration_minutes"),)),
        "twice": lambda: (add(), add(is_repeat=True)),
        "conflicting": lambda: (add(breaks=conflict), add(minutes="60", breaks=conflict)),
        "broken_twice": lambda: (add("gone?", breaks=bad), add("gone?", is_repeat=True)),
    }[variant]()


def _response(record: str | None, number: int, variant: str, rows: list[Row], lines: list[str]) -> None:
    day = 5 + 2 * number
    client = f"C{(number + (variant == 'moved')) % 3}"

    def add(*values: str, rater: str = "client", **more: object) -> None:
        answers = [*(float(value) if value.isdigit() else None for value in values), None, None, None][:4]
        breaks = () if record else (("response_id_missing", "response_id"),)
        said = (client, day, rater, tuple(answers))
        rows.append(Row(len(lines) + 1, record, said, day + 0.5, **{"breaks": breaks, **more}))
        when = f"{date_of(day)}T12:00"
        lines.extend(f"{record or ''},{client},srs,{rater},{when},{i},{v}" for i, v in enumerate(values, start=1))

    bad, conflict = (("value_out_of_range", "value"),), (("conflicting_duplicate", ""),)
    {
        "absent": lambda: None,
        "first": lambda: add("7"),
        "second": lambda: add("8", "9"),
        "moved": lambda: add("7"),
        "broken": lambda: add("11", breaks=bad),
        "unmended": lambda: add("7", "n/a", breaks_until_mended=(("unreadable", "value"),)),
        "twice": lambda: (add("7"), lines.append(lines[-1])),
        "conflicting": lambda: (add("7", breaks=conflict), add("7", rater="therapist", breaks=conflict)),
        "broken_twice": lambda: add("7", rater="nobody", breaks=(("rater_unknown", "rater"),)),
    }[variant]()


FILES = st.builds(
    file_of,
    st.sampled_from(sorted(COVERS)),
    st.integers(FIRST_DAY - 4, FIRST_DAY + 6),
    st.sampled_from(["", "", "", "b"]),
    st.lists(st.sampled_from(VARIANTS), min_size=RECORDS, max_size=RECORDS),
    st.integers(0, 9).map(lambda chance: chance == 9),
)
LATER = st.sampled_from([0.04, 1.0, 2.0])  # days after the night before
MAYBE_A_NIGHT = st.one_of(LATER, LATER, st.none())


class Nights(RuleBasedStateMachine):
    """Exports that come, come again, change, go; and nights, some of which break."""

    compared = 0  # nights, over all histories

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rapport-model-"))
        self.place = open_place(self.folder / "clinic", CLINIC.format(nulls=""))
        self.names = Names(Pseudonyms(read_key(Folders(self.place.warehouse))))
        self.model = Model()
        self.files: dict[str, File] = {}
        self.now = FIRST_DAY + 0.5
        self.written = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(files=st.lists(FILES, min_size=1, max_size=4), later=MAYBE_A_NIGHT)
    def deliver(self, files: list[File], later: float | None) -> None:
        for file in files:
            self._write(file)
        self._perhaps(later)

    @precondition(lambda self: self.files)
    @rule(
        which=st.integers(0, 99),
        day=st.integers(FIRST_DAY - 4, FIRST_DAY + 6),
        letter=st.sampled_from("cd"),
        later=MAYBE_A_NIGHT,
    )
    def copy(self, which: int, day: int, letter: str, later: float | None) -> None:
        """The same bytes under another name."""
        original = list(self.files.values())[which % len(self.files)]
        name = f"{original.source}_{date_of(day)}{letter}.csv"
        self._write(File(original.source, name, day, original.rows, original.lines))
        self._perhaps(later)

    @precondition(lambda self: len(self.files) > 1)
    @rule(which=st.integers(0, 99), later=MAYBE_A_NIGHT)
    def remove(self, which: int, later: float | None) -> None:
        name = list(self.files)[which % len(self.files)]
        del self.files[name]
        (self.place.exports / name).unlink()
        self._perhaps(later)

    @rule()
    def change_clinic_file(self) -> None:
        """The null word that mends what could not be read; after that another word that nothing says."""
        self.model.is_mended = True
        self.model.wording += 1
        words = ", ".join(['"n/a"', *(f'"never{number}"' for number in range(1, self.model.wording))])
        self.place.clinic.write_text(CLINIC.format(nulls=words))

    @precondition(lambda self: self.files)
    @rule(later=LATER)
    def night(self, later: float) -> None:
        self._night(later)

    def _night(self, later: float) -> None:
        self.now += later
        tonight = self.place.night(self._as_of(), run=but_for_finished_tables)
        self.model.night(tonight.load_id, self.now, list(self.files.values()))
        self._compare()

    @precondition(lambda self: self.files)
    @rule(step=st.sampled_from(list(STEPS)), at=st.integers(0, 400))
    def broken_night(self, step: str, at: int) -> None:
        """A night that breaks within a step, or after it: yesterday stands, byte for byte, or all of tonight."""
        before = self._standing()
        try:
            tonight = self.place.night(self._as_of(), run=breaking(step, at))
            load_id = tonight.load_id
        except RapportError:
            load_id = None
        left = self._standing()
        if left == before:
            assert load_id is None
            return
        assert step in ("publish", "draw pages") or load_id is not None
        load_id = self.place.ask("SELECT load_id FROM load.current")[0][0]
        self.model.night(load_id, self.now, list(self.files.values()))
        self._compare()

    @precondition(lambda self: self._waiting())
    @rule(which=st.integers(0, 99))
    def discard(self, which: int) -> None:
        """Ops take a row out of the inbox for good."""
        held = self._waiting()[which % len(self._waiting())]
        place = (*self.names.file(held.file), held.row.number, held.rule, held.column, "waiting")
        found = [number for number, *told in self.place.ask(f"SELECT quarantine_id, {PLACE}") if _hex(told) == place]
        discard(place_change(self.place.clinic, self.place.warehouse), found)
        self.model.discard(held)
        self._compare()

    def _waiting(self) -> list[Held]:
        return [each for each in self.model.quarantine if each.state == "waiting"]

    def _perhaps(self, later: float | None) -> None:
        if later:
            self._night(later)

    def _write(self, file: File) -> None:
        self.files[file.name] = file
        self.written += 1
        path = self.place.drop(file.name, content_of(file))
        os.utime(path, (LONG_AGO + self.written, LONG_AGO + self.written))
        self.model.written[file.name] = self.written

    def _as_of(self) -> str:
        minutes = round((self.now % 1) * 24 * 60)
        return f"{date_of(int(self.now))}T{minutes // 60:02d}:{minutes % 60:02d}"

    def _standing(self) -> tuple | None:
        published = self.place.published
        return published.exists() and (published.readlink(), hashlib.sha256(published.read_bytes()).digest())

    def _compare(self) -> None:
        Nights.compared += 1
        with duckdb.connect(str(self.place.published), read_only=True) as con:
            con.execute("SET TimeZone = 'America/Chicago'")
            known = self.model.nights[-1][1]
            for kind in ("appointments", "responses"):
                self._compare_records(con, kind, f"(FROM history.{kind} WHERE known_to IS NULL)", known)
                for day in range(FIRST_DAY - 1, int(self.now) + 2):
                    then = f"history.{kind}_as_known_on(DATE '{date_of(day)}')"
                    self._compare_records(con, kind, then, self.model.known_on(day))
            self._compare_main(con, known)
            self._compare_quarantine(con)
            compare_books(con)
        assert self.place.leftovers() == []

    def _compare_records(self, con: duckdb.DuckDBPyConnection, kind: str, relation: str, known: dict) -> None:
        said = "starts_at, status, duration_minutes" if kind == "appointments" else "completed_at, rater, answers"
        found = con.sql(f"SELECT source, {kind[:-1]}_id, client_id, {said} FROM {relation}").fetchall()
        told = [
            (source, self.names.raw(record), self.names.raw(client), at.day, word, _plain(content))
            for source, record, client, at, word, content in found
        ]
        expected = [(*record, *said) for record, said in known.items() if KINDS[record[0]] == kind]
        agree(told, expected, f"{self.model}\n{relation}")

    def _compare_main(self, con: duckdb.DuckDBPyConnection, known: dict) -> None:
        found = con.sql("SELECT source, appointment_id, client_id, starts_at, status, duration_minutes "
                        "FROM main.appointments").fetchall()  # fmt: skip
        told = [(s, self.names.raw(a), self.names.raw(c), at.day, word, m) for s, a, c, at, word, m in found]
        expected = [(*record, *said) for record, said in known.items() if KINDS[record[0]] == "appointments"]
        agree(told, expected, "main.appointments")
        found = con.sql("SELECT source, response_id, client_id, rater FROM main.responses").fetchall()
        told = [(source, self.names.raw(response), self.names.raw(c), rater) for source, response, c, rater in found]
        expected = [(*record, said[0], said[2]) for record, said in known.items() if KINDS[record[0]] == "responses"]
        agree(told, expected, "main.responses")

    def _compare_quarantine(self, con: duckdb.DuckDBPyConnection) -> None:
        expected = [
            (
                *self.names.file(each.file),
                each.row.number,
                each.rule,
                each.column,
                _answer(each.file.source, each.state),
            )
            for each in self.model.quarantine
        ]
        found = con.sql(f"SELECT q.source, {PLACE}").fetchall()
        told = [(name.hex, *rest, _answer(source, state)) for source, name, *rest, state in found]
        agree(told, expected, f"{self.model}\nquarantine")
        unsettled = "SELECT count(*) FROM load.quarantine WHERE (settled_by IS NULL) <> (state = 'waiting')"
        assert con.sql(unsettled).fetchone() == (0,)


def _plain(content: object) -> object:
    return tuple(content) if isinstance(content, list) else content


# A line of the quarantine, without the file's id: by the keyed hash of its name, and its content.
PLACE = """f.name_id, f.content, q.record_number, q.rule, q.column_name, q.state
    FROM load.quarantine AS q JOIN (SELECT DISTINCT file_id, name_id, content FROM load.files) AS f USING (file_id)"""


def _answer(source: str, state: str) -> str:
    """A whole export does not confirm row by row: whether an older held row was released or replaced is not told."""
    return "answered" if COVERS[source] == ALL and state in ("released", "source_gone") else state


def _hex(place: tuple) -> tuple:
    name, *rest = place
    return (name.hex, *rest)


def agree(told: list[tuple], expected: list[tuple], about: object) -> None:
    """The same rows as often, in any order; if not, what is said and should not be, and what should be and is not."""
    said, meant = Counter(told), Counter(expected)
    assert said == meant, f"{about}: told {sorted(said - meant, key=str)}, expected {sorted(meant - said, key=str)}"


class Names:
    """Raw ids and file names, and what stands for them in the warehouse."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        raw = {"client": [f"C{number}" for number in range(3)]}
        for kind, sources in (("appointment", "AV"), ("response", "RS")):
            raw[kind] = [f"{source}{number}" for source in sources for number in range(RECORDS)]
        self._raw = {pseudonyms.one("clinic", kind, each): each for kind, ids in raw.items() for each in ids}

    def raw(self, made: UUID) -> str:
        return self._raw[made.hex]

    def file(self, file: File) -> tuple[str, str]:
        return self._pseudonyms.one(file.source, "file_name", file.name), hashlib.sha256(content_of(file)).hexdigest()


def content_of(file: File) -> bytes:
    return "\n".join([HEADERS[KINDS[file.source]], *file.lines, ""]).encode()


def breaking(step: str, at: int) -> Callable:
    """Runs a night's steps, but breaks within this one, at a call of it, or else after it."""

    def seen(number: int) -> None:
        if number == at:
            raise RuntimeError("broken on purpose")

    def run(name: str, work: Callable):
        if name != step:
            return but_for_finished_tables(name, work)
        with watching(seen):
            work()
        raise RuntimeError("broken on purpose")

    return run


def compare_books(con: duckdb.DuckDBPyConnection) -> None:
    """Every record of every file is somewhere, what was loaded became versions, and movements add up."""
    files = "header_count + blank_or_footer_count + ignored_count + duplicate_count + unchanged_count"
    assert (
        con.sql(f"SELECT * FROM load.files WHERE record_count <> {files} + quarantined_count + loaded_count").fetchall()
        == []
    )
    rows = "duplicate_count + unchanged_count + quarantined_count + loaded_count"
    assert con.sql(f"FROM load.rows WHERE row_count <> {rows}").fetchall() == []
    for kind in ("appointments", "responses"):
        loaded = f"""
            SELECT load_id, sum(loaded_count)::BIGINT FROM load.rows
            WHERE records = '{kind}' AND loaded_count > 0 GROUP BY load_id ORDER BY load_id"""
        versions = f"SELECT known_from, count(*) FROM history.{kind} GROUP BY known_from ORDER BY known_from"
        assert con.sql(loaded).fetchall() == con.sql(versions).fetchall()
    assert unbalanced(con) == []


def random_histories(count: int, seed: int | None = None) -> int:
    """Run that many histories of random nights against the model; how many nights were compared."""
    Nights.compared = 0
    Nights._hypothesis_internal_use_seed = seed
    chosen = settings(
        max_examples=count,
        stateful_step_count=STEPS_OF_A_HISTORY,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Nights, settings=chosen)
    return Nights.compared


def test_nights_say_what_the_model_says():
    with few_tables():
        assert random_histories(24) > 20
