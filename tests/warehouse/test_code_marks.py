"""One mark of the code: what moves it, what does not, and that whatever runs is in it."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch

import pytest

from rapport import transforms
from rapport.dashboards.charts import KINDS
from rapport.dashboards.questions import load_questions
from rapport.flows.pages.answered_questions import AnsweredQuestion
from rapport.warehouse import code_marks
from rapport.warehouse.clinic_file.statuses import Statuses
from rapport.warehouse.code_marks import MadeOf, code_of, modules
from rapport.warehouse.code_marks.meanings import Name
from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.schema.records import KINDS as RECORDS
from tests.breaking.damage import FORMATS, clinic_of, read_all
from tests.breaking.marked import MARKED, changed, forget, marks, other_code
from tests.clinics.drawn import AS_OF, visits
from tests.clinics.drawn import table as drawn
from tests.clinics.drawn_clinics import BIRTHS, DECLARED, dense, frames
from tests.clinics.nights import ROOT
from tests.dashboards.test_charts import EXAMPLES

READER = '''
import toys
from toys import READERS, numbers
from toys.facts import Facts
from toys.numbers import half as halved, third as less

LEAST = 2

def read(rows: list, facts: Facts) -> list:
    """Rows."""
    from toys.other import longest
    kept = [row for row in rows if LEAST < row < longest(facts.first.size)]
    return [halved(row) - less(row) for row in kept if facts.has_units] + numbers.table()

def unused():
    return READERS["other"]()
'''
NUMBERS = """
from pathlib import Path

HERE = Path(__file__).parent

def half(number): return number / 2
def third(number): return number / 3
def fourth(number): return number / 4
def table(): return (HERE / "units.toml").read_text()
"""
FACTS = """
from dataclasses import dataclass
from typing import TYPE_CHECKING
from toys.other import Sharing

if TYPE_CHECKING:
    from toys.other import Unit

@dataclass
class Facts:
    no_units = ()
    units: tuple = no_units
    first: Unit = None
    sharing: Sharing = Sharing()

    @property
    def has_units(self): return bool(self.units)
    def shares(self): return self.sharing.all
"""
OTHER = """
class Sharing:
    all = True

class Unit:
    size = 1

def longest(size): return size
def read(): return 1
"""
PACKAGE = """
from toys import other, reader
from warehouse.code_marks import registry

READERS = registry({"other": other.read, "reader": reader.read})
"""
# A package of made-up modules: each case changes one of them.
TOYS = {"reader": READER, "numbers": NUMBERS, "facts": FACTS, "other": OTHER, "__init__": PACKAGE}
UNITS = 'metre = "m"\n'


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """The mark of `read` in the made-up package, with some of its modules otherwise."""
    monkeypatch.setattr(modules, "PACKAGES", {*modules.PACKAGES, "toys"})

    def mark(thing: str = "toys.reader:read", units: str = UNITS, **otherwise: str) -> MadeOf:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}/toys"
        folder.mkdir(parents=True)
        for name, text in (TOYS | otherwise).items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        (folder / "units.toml").write_text(units, encoding="utf-8")
        monkeypatch.syspath_prepend(folder.parent)
        modules.path_of.cache_clear()
        forget()
        try:
            return code_of(thing)
        finally:
            modules.path_of.cache_clear()
            forget()

    return mark


def said(module: str, before: str, after: str) -> dict[str, str]:
    assert before in TOYS[module]
    return {module: TOYS[module].replace(before, after)}


MOVES = {
    "the function itself": said("reader", "LEAST < row", "LEAST <= row"),
    "a constant that it uses": said("reader", "LEAST = 2", "LEAST = 3"),
    "a constant that is added to": said("reader", "LEAST = 2", "LEAST = 2\nLEAST += 1"),
    "a function that it imports under another name": said("numbers", "number / 2", "number / 5"),
    "which of two functions it imports": said(
        "reader", "half as halved, third as less", "third as halved, half as less"
    ),
    "a function of a module that it imports": said("numbers", ".read_text()", ".read_bytes()"),
    "a property that it asks for": said("facts", "bool(self.units)", "bool(len(self.units))"),
    "a field that the property reads": said("facts", "units: tuple = no", "units: tuple = 2 * no"),
    "a member that the field is made of": said("facts", "no_units = ()", "no_units = (0,)"),
    "the order of the fields that are asked for": said(
        "facts",
        "    units: tuple = no_units\n    first: Unit = None\n",
        "    first: Unit = None\n    units: tuple = no_units\n",
    ),
    "a function that it imports itself": said("other", "return size", "return 2 * size"),
    "a class that is imported for annotations alone": said("other", "size = 1", "size = 2"),
    "a decorator of a class that it is given": said("facts", "@dataclass\n", "@dataclass(frozen=True)\n"),
    "a data file that a module opens": {"units": 'metre = "km"\n'},
    "what the module does when it is imported": said("reader", "LEAST = 2", "LEAST = 2\nprint('on')"),
    "an attribute that is asked for by its name": said("reader", "facts.has_units", "getattr(facts, 'shares')"),
    "another library": said("numbers", "from pathlib import Path", "from os import Path"),
}
STAYS = {
    "nothing": {},
    "a comment": said("reader", "LEAST = 2", "LEAST = 2  # rows\n# more"),
    "a docstring": said("reader", '"""Rows."""', '"""Rows, halved."""'),
    "an annotation": said("reader", "rows: list", "rows: tuple"),
    "another layout": said("reader", "LEAST = 2", "LEAST = (\n    2\n)\n\n\n"),
    "a function beside it": said("reader", 'READERS["other"]()', 'READERS["other"]() + 1'),
    "a function of its module that it does not use": said("numbers", "number / 4", "number / 9"),
    "a member of a class that nothing asks for": said("facts", "self.sharing.all", "not self.sharing.all"),
    "a class that only such a member uses": said("other", "all = True", "all = False"),
    "another reader in the registry": said("other", "return 1", "return 2"),
    "what the package passes on": said("__init__", '"other": other', '"another": other'),
    "what runs only as a command": said("reader", "LEAST = 2", "LEAST = 2\nif __name__ == '__main__':\n    read([])"),
}


@pytest.mark.parametrize("otherwise", MOVES.values(), ids=MOVES)
def test_a_mark_moves_with_what_its_thing_is_made_of(toys, otherwise):
    assert toys(**otherwise).mark != toys().mark


@pytest.mark.parametrize("otherwise", STAYS.values(), ids=STAYS)
def test_a_mark_stays_when_anything_else_changes(toys, otherwise):
    assert toys(**otherwise).mark == toys().mark


def test_a_local_variable_is_not_the_module_s_thing_of_the_same_name(toys):
    local = said("reader", "for row in rows", "for unused in rows for row in [unused]")
    assert not any(name.name == "unused" for name in toys(**local).definitions)
    outer = said("reader", "facts: Facts)", "facts: Facts, unused=unused)")
    assert any(name.name == "unused" for name in toys(**outer).definitions)


def test_a_module_that_is_moved_and_a_package_that_is_renamed_keep_the_mark(toys):
    moved = {
        "reader": READER.replace("READERS, numbers", "READERS, exact as numbers").replace("toys.numbers", "toys.exact"),
        "exact": NUMBERS,
        "numbers": "",
    }
    assert toys(**moved).mark == toys().mark


def test_a_mark_is_asked_of_what_is_there(toys):
    with pytest.raises(ValueError, match=r"toys\.reader has no definition reads"):
        toys("toys.reader:reads")


def test_facts_are_told_as_far_as_the_code_asks_for_them():
    asking = MadeOf("", frozenset(), frozenset({"words", "columns"}))
    first, second = (Statuses(("a",), {"x": "attended"}, is_code=is_code) for is_code in (True, False))
    assert asking.facts(first) == asking.facts(second) == "Statuses(columns=['a'], words={'x': 'attended'})"
    assert asking.facts(frozenset("ba")) == "{'a', 'b'}"


# The marks of the project itself


def documented(_: str, source: str) -> str:
    """The same code with other docstrings, without comments, and laid out otherwise."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body.insert(0, ast.parse('"Another docstring."').body[0])
    return ast.unparse(tree)


def test_docstrings_comments_and_layout_move_no_mark():
    before = {name: made.mark for name, made in marks().items()}
    with other_code(documented):
        assert {name: made.mark for name, made in marks().items()} == before


def test_each_module_moves_the_marks_that_it_is_in_and_no_other():
    """Each module with one mark that it is in and one that it is not in; over all of them every mark has its turn."""
    before = marks()
    turns = dict.fromkeys(MARKED, 0)

    def least_asked(names: list[str]) -> str:
        name = min(names, key=turns.get)
        turns[name] += 1
        return name

    for module in sorted(set().union(*(made.modules for made in before.values()))):
        inside = least_asked([name for name in MARKED if module in before[name].modules])
        others = [name for name in MARKED if module not in before[name].modules]
        asked = [inside, least_asked(others)] if others else [inside]
        with changed(module):
            now = marks(asked)
        assert [now[name].mark != before[name].mark for name in asked] == [True, False][: len(asked)], (module, asked)
    assert min(turns.values()) > 0


def test_code_of_a_format_is_in_no_other_format_s_mark():
    for form in ("hl7_siu", "cliniko", "qualtrics", "openemr"):
        having = {name for name, made in marks().items() if f"rapport.transforms.sources.{form}" in made.modules}
        assert having == {f"the source {form}"}


def test_what_hides_and_what_is_shared_is_in_no_table():
    found = marks()
    hiding = {
        "rapport.warehouse.clinic_file.hiding",
        "rapport.transforms.hiding.disclosure",
        "rapport.transforms.hiding.derivable",
        "rapport.transforms.hiding.shown_together",
    }
    assert hiding <= found["the safe file"].modules
    assert not any(hiding & made.modules for name, made in found.items() if name.startswith("the table"))


NOT_MARKED = {  # what is in no mark, and why that leaves nothing wrong standing
    "rapport.flows*": (
        "puts the steps in order, or runs apart from a night: what a step makes is marked where it is made"
    ),
    "rapport.expectations": "names what the rules are made of",
    "rapport.expectations.volumes": "stops the night or lets it go on; nothing is kept of it",
    "rapport.expectations.table_suites": (
        "a finished table is checked when it is written, and whole every week (rapport compact)"
    ),
    "rapport.expectations.suites*": "the same",
    "rapport.expectations.estimates": "the same",
    "rapport.transforms.sources.__main__": "drafts a clinic file, which a person corrects",
    "rapport.transforms.sources.drafting.*": "the same",
    "rapport.transforms.sessions.matches": "counts for the match report, which is made anew",
    "rapport.transforms.worklist": "is made anew every night",
    "rapport.transforms.sources.opening.passed_over": "says which files are no exports; nothing is read of them",
    "rapport.warehouse.intake.match_book": "keeps the match report, which is made anew",
    "rapport.warehouse.intake.held_shares": "stops the night or lets it go on; nothing is kept of it",
    "rapport.dashboards.disclosures": "what it reads of a question is in the fingerprint of the shared figures",
    "rapport.warehouse.code_marks*": "makes the marks: another way to make them moves them all",
    "rapport.warehouse.instruments": "reads the instruments, and what it makes of them is in the marks itself",
    "rapport.warehouse.instruments.scale_sections": "the same",
    "rapport.warehouse.toml_files": "reads TOML files; what is made of them is in the marks itself",
    "rapport.warehouse.places.small_files": (
        "reads TOML files, links and norms; what is made of them is in the marks, or joined anew"
    ),
    "rapport.warehouse.places.digests": "says whether bytes are those that were written, and makes none",
    "rapport.warehouse.places.private_files": "reads and writes notes of the private tree, from which no table is made",
    "rapport.warehouse.presets": (
        "reads the presets, and what it makes of them is in the marks itself, with the section"
    ),
    "rapport.warehouse.clinic_file.schedule": "says when nights run",
    "rapport.warehouse.clinic_file.spaces_section": "says whose numbers are whose, which every night settles anew",
    "rapport.warehouse.clinic_file.contradicting_spaces": "refuses a clinic file, or lets it pass as it is",
    "rapport.warehouse.clinic_file.monitoring": "says who is told of them",
    "rapport.warehouse.history.record_versions": (
        "keeps exports in the order in which they came, which reading them again does not bring back"
    ),
    "rapport.warehouse.history.vanished_records": "the same, of what vanished",
    "rapport.warehouse.history.retract": "the same, of what was entered in error",
    "rapport.warehouse.history.loaded_numbers": (
        "numbers records as they are first loaded, and no number is given again"
    ),
    "rapport.warehouse.history.joined_clients": "follows the client links and the id spaces anew every night",
    "rapport.warehouse.history.former_ids": "follows ids when a file is read again, which is when they are known",
    "rapport.warehouse.history.moved_slots": "follows slots in the night that brings them",
    "rapport.warehouse.history.probable_repeats": "tells, and changes nothing",
    "rapport.warehouse.history.repeated_starts": "the same",
    "rapport.warehouse.intake.quarantine": "is settled anew every night",
    "rapport.warehouse.intake.delivery_order": "keeps the order in which files came, and makes no other of it",
    "rapport.warehouse.intake.contradictions": "holds records back, which is settled anew every night",
    "rapport.warehouse.intake.lowest_answers": "tells, and changes nothing",
    "rapport.warehouse.intake.export_columns": "keeps columns to compare the next export with, and makes no row",
    "rapport.warehouse.intake.ledger": "closed books are not edited",
    "rapport.warehouse.derived.why_it_moved": "the same",
    "rapport.warehouse.intake.space_book": "the same",
    "rapport.warehouse.published.night_in_numbers": "the same",
    "rapport.warehouse.intake.older_readings": "counts anew every night",
    "rapport.warehouse.history.erase": "what was taken out stays out",
    "rapport.warehouse.history.erased_days": "the same",
    "rapport.warehouse.history.expiry": "looks anew at every compaction for what is kept no longer",
    "rapport.warehouse.schema.books": "columns that come are added, and null before",
    "rapport.warehouse.store.building_file": "opens the file and makes what is missing in it, every night",
    "rapport.warehouse.derived.definitions": "keeps the marks",
    "rapport.warehouse.derived.comparison": "compares when it is asked",
    "rapport.warehouse.derived.row_differences": "writes what was computed",
    "rapport.warehouse.history.known_on_day": "makes macros, anew every night",
    "rapport.warehouse.published.views_and_comments": "makes views and comments, anew every night",
    "rapport.warehouse.published.safe_file": "writes the shared figures when they are made",
    "rapport.warehouse.store.seal": "closes and seals the file, every night",
    "rapport.warehouse.store.compaction": "changes no row",
    "rapport.warehouse.published.page_answers": "asks published files",
    "rapport.warehouse.published.current_load": "the same",
    "rapport.warehouse.published.monitored_numbers": "the same",
    "rapport.warehouse.places.attempts": "notes nights that failed",
    "rapport.warehouse.places.folders": "knows where files lie",
    "rapport.warehouse.places.page_files": "the same",
    "rapport.warehouse.places.scratch": "the same",
    "rapport.warehouse.places.versions": "the same, of published versions",
    "rapport.warehouse.places.publication": "moves what was made into its place",
    "rapport.warehouse.places.load_facts": "writes and reads load.json anew with every load",
    "rapport.warehouse.*.person_*": "tells a person what is held of them when it is asked",
}


def test_every_module_is_in_the_mark_of_something_or_on_a_list_with_a_reason():
    every = {
        ".".join(("rapport", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for folder in ("dashboards", "expectations", "flows", "transforms", "warehouse")
        for path in (ROOT / folder).rglob("*.py")
        if len(ast.parse(path.read_text(encoding="utf-8")).body) > 1  # more than a docstring
    }
    found = set().union(*(made.modules for made in marks().values()))
    assert found <= every
    rest = every - found
    unexplained = {module for module in rest if not any(fnmatch(module, listed) for listed in NOT_MARKED)}
    assert not unexplained, (
        "let something that has a mark use them, or say under NOT_MARKED why nothing wrong can stand"
    )
    assert [listed for listed in NOT_MARKED if not any(fnmatch(module, listed) for module in rest)] == []


def test_nothing_that_is_marked_takes_facts_or_names_as_a_whole():
    """It would read keys of the clinic file whose names no mark has seen."""
    wholesale = {"vars", "fields", "asdict", "astuple", "globals", "locals", "eval", "exec", "importlib.import_module"}
    for made in marks([name for name in MARKED if name.startswith(("the source", "the table"))]).values():
        for name in made.definitions:
            module = modules.module_of(name.module)
            text = module.members[name.name][name.member] if name.member else module.texts.get(name.name)
            assert text is None or not text.taken & wholesale, name


@contextmanager
def watched(found: set[Name]) -> Iterator[None]:
    """Note the functions of ours that run, but for those that make marks."""

    def note(frame, event, _) -> None:
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        is_marked = modules.is_ours(module) and not module.startswith(code_marks.__name__)
        if event == "call" and is_marked and not code.co_filename.startswith("<"):
            name, _, member = code.co_qualname.partition(".<locals>")[0].partition(".")
            found.add(Name(module, name, "" if "<" in member else member))

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def outside(ran: set[Name], made: MadeOf) -> set[Name]:
    """What ran and is not in a mark. A class that inherits is in it as a whole."""
    whole = {name._replace(member="") for name in ran - made.definitions if name.name not in _split(name.module)}
    return {name for name in ran - made.definitions if not name.name.startswith("<")} - {
        name for name in ran if name._replace(member="") in whole & made.definitions
    }


def _split(module: str) -> set[str]:
    return set(modules.module_of(module).members)


@pytest.mark.parametrize("name", FORMATS)
def test_whatever_runs_while_a_file_is_read_is_in_its_source_s_mark(tmp_path, name):
    (tmp_path / "export").write_bytes(FORMATS[name][1])
    (source,) = clinic_of(name).sources
    ran: set[Name] = set()
    with watched(ran):
        read_all(name, tmp_path / "export")
    assert len(ran) > 20
    mark = f"the source {source.format.name}"
    lookups = ("opener_of", "function_of")  # registries
    assert outside(ran, marks([mark])[mark]) <= {Name("rapport.transforms.sources", name) for name in lookups}


def test_whatever_runs_while_a_table_is_computed_is_in_its_mark():
    records = {f"{kind.removesuffix('s')}_records": frame.lazy() for kind, frame in frames(dense()).items()}
    known = {**records, "birth_dates": drawn(BIRTHS), "clinic": DECLARED, "as_of": AS_OF}
    known["client_ids"] = records["client_records"].select("client_id")
    known |= visits(records["appointment_records"])
    for table in transforms.tables():
        ran: set[Name] = set()
        with watched(ran):
            known[table.name] = transforms.compute(table, known).lazy()
        assert Name(table.function.__module__, table.name) in ran
        assert outside(ran, code_of(*table.functions, transforms.compute)) == set(), table.name


class Drawn(dict):
    """Drawings of whatever is asked for: what draws them is a library."""

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, mark: str) -> str:
        return f"<svg>{mark}</svg>"


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_runs_while_a_question_is_drawn_is_in_its_mark(kind):
    rows, chart = EXAMPLES[kind]
    question = replace(load_questions()["gaps"], filters=(), chart={"kind": kind, "title": "T", **chart})
    ran: set[Name] = set()
    with watched(ran):
        assert AnsweredQuestion(question, rows, {(): "So it is."}).finding_at({}, Drawn()).pictures
    assert outside(ran, marks([f"a question as {kind}"])[f"a question as {kind}"]) == set()


def test_whatever_runs_while_the_records_rules_are_made_is_in_their_mark():
    from rapport.expectations.records import record_rules  # noqa: PLC0415  importing Great Expectations is not free

    ran: set[Name] = set()
    with watched(ran):
        assert all(record_rules(kind, load_instruments()) for kind in RECORDS.values())
    ran = {name for name in ran if name.module.startswith("expectations") or "instrument" in name.module}
    assert outside(ran, marks(["the records' rules"])["the records' rules"]) == {
        Name("rapport.warehouse.instruments", "load_instruments")
    }
