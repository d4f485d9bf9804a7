"""Everything that has a mark of its code, and nights of other code than there is."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

from rapport import transforms
from rapport.dashboards.charts import KINDS
from rapport.dashboards.charts.drawing import _drawn
from rapport.dashboards.pages import page
from rapport.expectations import RECORD_RULES
from rapport.flows.pages.answered_questions import AnsweredQuestion
from rapport.flows.pages.dictionary_pages import dictionary_pages
from rapport.flows.steps.changed_definitions import AFTER_THE_READER, BEFORE_THE_TABLES
from rapport.flows.steps.make_safe_file import audiences_of
from rapport.transforms.hiding.disclosure import hide
from rapport.transforms.sources import parts_of
from rapport.warehouse import code_marks
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.code_marks import MadeOf, code_of, meanings, modules, pieces

MARKED = {
    **{f"the source {name}": (*parts_of(form), *AFTER_THE_READER) for name, form in load_formats().items()},
    "the records' rules": RECORD_RULES,
    **{f"the table {table.name}": (*table.functions, transforms.compute) for table in transforms.tables()},
    "what tables read": BEFORE_THE_TABLES,
    **{f"a question as {kind}": (AnsweredQuestion.finding_at, draw) for kind, draw in KINDS.items()},
    "a page": (page,),
    "a picture": (_drawn,),
    "the dictionary": (dictionary_pages,),
    "the safe file": (hide, audiences_of),
}
_CACHES = (modules.module_of, meanings.meant_by, pieces.piece, pieces.is_registry, code_marks._made_of)
_PARSED = cache(modules.split_module)
_SOURCE_OF = modules.source_of


def marks(names: list[str] | None = None) -> dict[str, MadeOf]:
    """The mark of everything, or of some, by what it is the mark of."""
    return {name: code_of(*MARKED[name]) for name in names or MARKED}


def forget() -> None:
    """Work every mark out anew."""
    for cached in _CACHES:
        cached.cache_clear()


@contextmanager
def other_code(change: Callable[[str, str], str]) -> Iterator[None]:
    """Marks as if the modules said something else: `change` makes a module's text from its name and what it says."""
    with (
        patch.object(modules, "source_of", lambda name: change(name, _SOURCE_OF(name))),
        patch.object(modules, "split_module", _PARSED),
    ):
        forget()
        try:
            yield
        finally:
            forget()


def changed(*names: str):
    """Other code of these modules: of every function, constant and field."""
    return other_code(lambda name, said: _changed(said) if name in names else said)


def _changed(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body.append(ast.parse("changed = 1").body[0])
        elif isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call):
            node.value = ast.Tuple([node.value, ast.Constant("changed")], ast.Load())
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Tuple([node.annotation, ast.Constant("changed")], ast.Load())
    return ast.unparse(ast.fix_missing_locations(tree))
