"""What files are, and a draft of the clinic file that reads them: `rapport draft FILE... > clinic.toml`.

What each file is goes to standard error; the draft, which is valid as it stands, to standard output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rapport.transforms.sources.drafting.draft import draft
from rapport.transforms.sources.drafting.headers import ENCODINGS
from rapport.transforms.sources.drafting.recognition import Found, recognise
from rapport.warehouse.errors import Refused, escaped
from rapport.warehouse.instruments import load_instruments


def main(arguments: list[str] | None = None) -> int:
    """Tell what the files are and draft their sections; 1 when one of them is no data file."""
    parser = argparse.ArgumentParser(prog="rapport draft", description="Draft a clinic file.")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="exports, one or more of each kind")
    parser.add_argument(
        "--encoding", choices=[*ENCODINGS, "mac-roman"], help="of files that are text; else it is tried"
    )
    options = parser.parse_args(arguments)
    instruments, found, refused = load_instruments(), list[Found](), 0
    for path in options.files:
        try:
            found += (each := recognise(path, instruments, options.encoding))
            print(*(f"{escaped(path.name)}: {one.told}" for one in each), sep="\n", file=sys.stderr)
        except Refused as error:
            refused += 1
            print(error.of("a file", path.name).told, file=sys.stderr)
    if found:
        print(draft(found, instruments), end="")
    return 1 if refused else 0


if __name__ == "__main__":
    if __package__ == "transforms.sources":
        print("python -m transforms.sources is now: rapport draft. The old form ends with 0.4.", file=sys.stderr)
    sys.exit(main())
