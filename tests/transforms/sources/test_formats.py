"""A format is a module and a fact sheet: each is there, and a half-done one says what to write where."""

import ast
import sys
from types import ModuleType

import pytest

from rapport.flows.steps.changed_definitions import readings
from rapport.transforms import sources
from rapport.transforms.sources import parts_of
from rapport.warehouse.clinic_file import formats
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.formats import HERE, load_formats
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import ROOT

MODULES = {path.stem for path in (ROOT / "transforms" / "sources").glob("*.py") if not path.stem.startswith("__")}
SHEETS = {path.stem: path.read_text(encoding="utf-8") for path in HERE.glob("*.toml")}
TOY = 'title = "A toy"\nholds = ["clients"]\ntakes = []\n'
CLINIC = "".join(
    f'\n[sources.{name}]\nformat = "{name}"\nfiles = "{name}*"\n'
    for name in ("redcap", "openemr", "cliniko", "hl7_siu", "fhir")
)


@pytest.fixture
def sheets(tmp_path, monkeypatch):
    """The fact sheets in a copy, in which some say something else."""

    def with_other(**otherwise: str) -> None:
        (folder := tmp_path / "formats").mkdir(exist_ok=True)
        for name, text in (SHEETS | otherwise).items():
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(formats, "HERE", folder)
        load_formats.cache_clear()

    yield with_other
    load_formats.cache_clear()


def test_every_fact_sheet_has_its_module_and_every_module_its_fact_sheet():
    for name in SHEETS.keys() - MODULES:
        pytest.fail(f"write transforms/sources/{name}.py, or take warehouse/clinic_file/formats/{name}.toml away")
    for name in MODULES - SHEETS.keys():
        pytest.fail(f"write warehouse/clinic_file/formats/{name}.toml, or move {name}.py into a folder of its kind")


@pytest.mark.parametrize("name", SHEETS)
def test_a_format_is_read_by_functions_of_its_own_module(name):
    tree = ast.parse((ROOT / "transforms" / "sources" / f"{name}.py").read_text(encoding="utf-8"))
    own = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    form = load_formats()[name]
    assert {form.reader, form.opener, form.header} - {None} <= own
    assert len(parts_of(form)) == 4 + bool(form.header)


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (TOY, "format toy has no module; write transforms/sources/toy.py with def read(export, source, tallies)"),
        ('title = "A toy"\n', "warehouse/clinic_file/formats/toy.toml: the file has no key 'holds'; add it"),
        (TOY.replace("clients", "people"), "toy.toml: holds = 'people' is not one of clients, episodes"),
        (TOY + "headers = 2", "toy.toml: the file has the unknown key 'headers'; did you mean 'header'?"),
        (
            TOY.replace("takes = []", 'takes = ["sheat"]'),
            "takes names 'sheat'; declare it in warehouse/toml_keys/sources.toml, [of_formats.sheat]",
        ),
    ],
)
def test_a_half_done_format_says_what_to_write_where(sheets, sheet, said):
    sheets(toy=sheet)
    with pytest.raises(Unusable) as refused:
        parts_of(load_formats()["toy"])
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (TOY, "transforms/sources/toy.py has no function read; write def read(export, source, tallies) there"),
        (TOY + 'opener = "open_toy"', "no function open_toy; write def open_toy(content, source, shape) there"),
        (
            TOY + 'header_rows = 2\nheader = "names"',
            "no function names; write def names(heads) there, or correct header",
        ),
    ],
)
def test_a_module_without_a_function_that_its_fact_sheet_names_says_so(sheets, monkeypatch, sheet, said):
    sheets(toy=sheet)
    toy = ModuleType(f"{sources.__name__}.toy")
    toy.__spec__ = sources.__spec__
    monkeypatch.setitem(sys.modules, toy.__name__, toy)
    with pytest.raises(Unusable) as refused:
        parts_of(load_formats()["toy"])
    assert said in str(refused.value)


def test_a_fact_sheet_moves_the_reading_of_its_own_format_alone(sheets, tmp_path):
    path = tmp_path / "clinic.toml"
    path.write_text(f'time_zone = "UTC"\n{CLINIC}', encoding="utf-8")

    def told(**otherwise: str) -> dict[str, str]:
        sheets(**otherwise)
        return readings(read_clinic(path))

    before = told()
    assert told(redcap=SHEETS["redcap"] + "# said otherwise\n") == before
    now = told(redcap=SHEETS["redcap"] + "header_rows = 2\n")
    assert {name for name in before if now[name] != before[name]} == {"redcap"}
    assert told(toy=TOY) == before
