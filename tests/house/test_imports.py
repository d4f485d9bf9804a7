"""Who may import whom (design.md, One sentence each), and what may stand in no committed file."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("flows", "transforms", "expectations", "warehouse", "dashboards")
MAY_IMPORT = {
    "warehouse": {"warehouse"},
    "transforms": {"transforms", "warehouse"},
    "expectations": {"expectations", "warehouse"},
    "dashboards": {"dashboards", "warehouse"},  # of which two modules: below
    "flows": set(FOLDERS),
}
LIVES_IN = {
    "duckdb": "warehouse",
    "duckdb_engine": "expectations",
    "great_expectations": "expectations",
    "sqlalchemy": "expectations",
    "prefect": "flows",
    "statsmodels": "transforms",
    "scipy": "transforms",
}
MAY_ALSO = {  # what the bench measures against is DuckDB alone
    "flows/bench/work.py": {"duckdb"},
}
KNOW_PREFECT = ("flows/nightly.py", "flows/scheduled/", "flows/prefect_tasks/")
DECLARED = tuple(f"warehouse/{room}/" for room in ("schema", "clinic_file", "places", "instruments", "presets"))
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
MODULES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
REAL_CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime"}
# A night that failed, and a report that was made for a person, are noted with their time.
READ_THE_CLOCK = {"flows", "warehouse/places/attempts.py", "warehouse/places/person_notes.py"}
SQL_CLOCKS = re.compile(
    r"\b(now|today|get_current_timestamp)\s*\(\s*\)|\bcurrent_(date|time|timestamp)\b|\blocaltime", re.IGNORECASE
)


@cache
def source(module: str) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


def without_types(tree: ast.Module) -> ast.Module:
    """A module without what it imports for its types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = []
    return tree


@cache
def imported(module: str) -> set[str]:
    """Top-level names of what a module imports when it runs: not those under `if TYPE_CHECKING`."""
    tree = without_types(ast.parse(source(module)))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.removeprefix("rapport.").partition(".")[0] for name in names}


@cache
def modules_imported(module: str, *, declared_only: bool = False) -> set[str]:
    """The modules of the house that a module imports anywhere in its text: for types, and within functions, too. Not,
    with `declared_only`, for types alone."""
    tree = ast.parse(source(module))
    if declared_only:
        without_types(tree)
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [name if _file_of(name) else node.module for name in inside]
    return {found for name in names if (found := _file_of(name))} - {module}


def _file_of(name: str) -> str | None:
    """The file of a module of the house; None for what is none."""
    path = name.removeprefix("rapport.").replace(".", "/")
    return next((each for each in (f"{path}.py", f"{path}/__init__.py") if name != path and each in MODULES), None)


def reached(module: str, imports: dict[str, set[str]]) -> set[str]:
    """All modules that a module imports, directly or through others."""
    found, waiting = set(), [module]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    return [path for name in listed.stdout.decode().splitlines() if (path := ROOT / name).is_file()]


def test_the_modules_that_are_looked_at_are_there():
    assert {module.partition("/")[0] for module in MODULES} == set(FOLDERS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_the_folders_that_its_own_may(module):
    allowed = MAY_IMPORT[module.partition("/")[0]]
    assert imported(module) & set(FOLDERS) <= allowed


def test_what_draws_knows_nothing_of_the_warehouse_but_its_marks_and_how_numbers_are_hidden():
    drawing = [ast.parse(source(module)) for module in MODULES if module.startswith("dashboards/")]
    names = {node.module for tree in drawing for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in names if name.startswith("rapport.warehouse")} == {
        "rapport.warehouse.code_marks",
        "rapport.warehouse.schema.questions",
    }


@pytest.mark.parametrize("module", MODULES)
def test_each_engine_lives_in_one_folder(module):
    elsewhere = {name for name, folder in LIVES_IN.items() if folder != module.partition("/")[0]}
    assert imported(module) & elsewhere <= MAY_ALSO.get(module, set())


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("flows/")])
def test_prefect_stands_in_the_nightly_flow_in_what_is_scheduled_and_in_the_tasks(module):
    assert "prefect" not in imported(module) or module.startswith(KNOW_PREFECT)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(DECLARED)])
def test_declared_facts_are_read_without_duckdb(module):
    imports = {each: modules_imported(each, declared_only=True) for each in MODULES}
    assert [each for each in (module, *reached(module, imports)) if "duckdb" in imported(each)] == []


def test_no_module_imports_itself_through_others_not_even_for_its_types():
    imports = {module: modules_imported(module) for module in MODULES}
    assert [module for module in MODULES if module in reached(module, imports)] == []


def test_every_engine_is_imported_somewhere():
    assert set().union(*map(imported, MODULES)) >= LIVES_IN.keys()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_named_after_what_it_is_about_and_not_after_a_folder(module):
    parts = Path(module).with_suffix("").parts
    assert not NAMELESS & set(parts)
    assert parts[0] == "tests" or not set(parts[1:]) & {*FOLDERS, "tests"}


@pytest.mark.parametrize("module", [m for m in MODULES if not {m, m.partition("/")[0]} & READ_THE_CLOCK])
def test_the_real_clock_is_read_by_nothing_that_computes(module):
    called = {
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(ast.parse(source(module)))
        if isinstance(node, ast.Call)
    }
    assert not called & REAL_CLOCKS


@pytest.mark.parametrize(
    "module", [*MODULES, *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("dashboards/*.sql"))]
)
def test_no_sql_asks_the_database_what_time_it_is(module):
    text = source(module)
    if module.endswith(".py"):
        strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        text = "\n".join(value for value in strings if isinstance(value, str))
    assert not SQL_CLOCKS.search(text)


def test_no_committed_file_names_a_folder_of_the_machine_it_was_written_on():
    places = re.compile(r"(?<![\w.*}/])/(" + "|".join(("work", "root", "home", "tmp", "Users")) + r")\b")
    texts = {path: path.read_bytes().decode("utf-8", errors="replace") for path in committed()}
    assert texts
    assert {path.name for path, text in texts.items() if places.search(text)} == set()


def test_the_lock_names_no_host():
    lock = ROOT / "requirements.lock"
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", lock.read_text(encoding="utf-8"))


def seen_by_a_command(looks: str, variable: str, told: dict[str, str]) -> subprocess.CompletedProcess:
    """What a fresh Python prints in this environment, but for a variable that has the told value or none."""
    kept = {name: value for name, value in os.environ.items() if name != variable}
    words = [sys.executable, "-c", looks]
    return subprocess.run(words, cwd=ROOT, env=kept | told, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(("told", "count"), [({}, "1"), ({"POLARS_MAX_THREADS": "3"}, "3")])
def test_a_command_runs_polars_in_one_thread_unless_the_environment_says_otherwise(told, count):
    looks = "import rapport.flows.order, polars; print(polars.thread_pool_size())"
    asked = seen_by_a_command(looks, "POLARS_MAX_THREADS", told)
    assert asked.stdout.strip() == count


@pytest.mark.parametrize(("told", "count"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")])
def test_a_command_does_linear_algebra_in_one_thread_unless_the_environment_says_otherwise(told, count):
    looks = "import rapport.flows, os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    asked = seen_by_a_command(looks, "OPENBLAS_NUM_THREADS", told)
    assert asked.stdout.strip() == count


@pytest.mark.parametrize(("told", "says_ours"), [({}, True), ({"_RJEM_MALLOC_CONF": "narenas:2"}, False)])
def test_a_command_tells_polars_to_keep_freed_memory_a_while_unless_the_environment_says_otherwise(told, says_ours):
    """jemalloc itself repeats what it was told when it is asked to confirm it."""
    looks = "import rapport.flows, os; os.environ['_RJEM_MALLOC_CONF'] += ',confirm_conf:true'; import polars"
    asked = seen_by_a_command(looks, "_RJEM_MALLOC_CONF", told)
    assert ("dirty_decay_ms:3000" in asked.stderr) == says_ours
