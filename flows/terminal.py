"""What the commands for ops share: their arguments, and their exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from flows.failures import sayable
from flows.open_erasures import tell_open
from warehouse.folders import Folders


def arguments(module: str, description: str, *, exports: bool = False) -> argparse.ArgumentParser:
    """A parser with --clinic and --warehouse, and with --exports where the command looks into the exports."""
    parser = argparse.ArgumentParser(prog=f"python -m flows.{module}", description=description)
    if exports:
        parser.add_argument("--exports", type=Path, required=True, metavar="DIR", help="where the exports arrive")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    return parser


def finish(command: Callable[[], int | None], warehouse: Path | None = None) -> int:
    """Run a command; what it could not do is one sentence on standard error and its exit status. An erasure of the
    warehouse that is not finished is named."""
    try:
        status = command() or 0
    except Exception as error:
        said = sayable(error)
        print(said.told, file=sys.stderr)
        status = said.status
    if warehouse is not None:
        tell_open(Folders(warehouse))
    return status
