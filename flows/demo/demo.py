"""Write the demo clinic's exports, night by night."""

import argparse
from datetime import date
from pathlib import Path

from rapport.flows.demo import KINDS, LAST_NIGHT, write
from rapport.flows.terminal import finish
from rapport.warehouse.places.folders import resolved


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rapport demo", description="Write the demo clinic's exports.")
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write into (default: demo)")
    parser.add_argument("--clients", type=positive, default=240, help="clients seen over two years")
    parser.add_argument("--nights", type=positive, default=10, help="nights on which files arrive")
    parser.add_argument("--seed", type=natural, default=7, help="the same seed gives the same files")
    parser.add_argument("--until", type=date.fromisoformat, default=LAST_NIGHT, help="date of the last files")
    parser.add_argument("--clean", action="store_true", help="plant no defects")
    parser.add_argument("--surveys", choices=KINDS, default="full", help="what the survey export brings nightly")
    return parser.parse_args(argv)


def natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be at least 0")
    return number


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)

    def run() -> None:
        resolved(options.out)
        truth = write(**vars(options))
        count, planted = sum(truth["files"].values()), len(truth["defects"]) + len(truth["duplicates"])
        print(f"{options.out}/exports: {len(truth['files'])} files, {count} records, {planted} of them planted")

    return finish(run)
