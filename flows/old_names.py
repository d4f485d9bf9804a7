"""The module names from before version 0.2, which work until 0.4: `python -m flows.nightly` and others.

Units, crontabs and the registrations of a Prefect server name modules. `python -m` with an old name runs the command
and prints its new name. An import of an old name returns the module that replaced it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

from rapport.flows.command import MODULES

# Each old module, and the command that replaced it.
COMMANDS_BEFORE = {
    "flows.as_known_on": "as-known-on",
    "flows.backfill": "backfill",
    "flows.backup": "backup",
    "flows.compact": "compact",
    "flows.demo": "demo",
    "flows.deploy": "deploy",
    "flows.dictionary": "dictionary",
    "flows.erasure_requests": "forget-requests",
    "flows.forget": "forget",
    "flows.freshness": "freshness",
    "flows.instruments_page": "instruments-page",
    "flows.key": "key",
    "flows.nightly": "night",
    "flows.pages": "pages",
    "flows.person": "person",
    "flows.quarantine": "inbox",
    "flows.query": "query",
    "flows.restore": "restore",
    "flows.serve": "serve",
    "flows.telling": "tell",
    "flows.verify": "verify",
    "flows.worklist": "worklist",
}
# Old modules that were not commands, but that a Prefect server may have registered.
FLOWS_BEFORE = {"flows.chores": "rapport.flows.scheduled.weekly"}
_SOURCE = """
import sys
from rapport.flows.old_names import module_of, notice
module = module_of({old!r})
if __name__ == "__main__":
    print(notice({old!r}), file=sys.stderr)
    sys.exit(module.main(sys.argv[1:]))
sys.modules[__name__] = module
"""


class _Loader(InspectLoader):
    def get_source(self, fullname: str) -> str:
        return _SOURCE.format(old=fullname)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_old = fullname in COMMANDS_BEFORE or fullname in FLOWS_BEFORE
        return spec_from_loader(fullname, _Loader(), origin=__file__) if is_old else None


def answer_to_old_names() -> None:
    """Let imports find the old names, before any file of that name."""
    sys.meta_path.insert(0, _Finder())


def module_of(old: str) -> ModuleType:
    """The module that replaced an old name."""
    return import_module(FLOWS_BEFORE.get(old) or MODULES[COMMANDS_BEFORE[old]])


def notice(old: str) -> str:
    """The sentence that names the new command."""
    return f"python -m {old} is now: rapport {COMMANDS_BEFORE[old]}. The old form ends with 0.4."
