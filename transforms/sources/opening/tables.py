"""A delivered file as tables of text, a chunk of whole records at a time.

The steps are: bytes, kind of file, encoding and line ends, chunks cut between records, columns of text with record
numbers. Nothing is guessed or converted here. Record numbers are exact, so that the books balance.
"""

from __future__ import annotations

from pathlib import Path

from rapport.transforms.sources.opening.bounded import check_file
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.transforms.sources.opening.delimited import open_delimited
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import CHUNK, Shape
from rapport.transforms.sources.opening.spreadsheets import open_parquet, open_spreadsheet
from rapport.warehouse.errors import Refused
from rapport.warehouse.places import digests


def digest_of(path: Path) -> str:
    """SHA-256 of an export's bytes, in hexadecimal. Raises Refused for a device or a pipe."""
    check_file(path)
    return digests.digest_of(path)


def open_table(path: Path, encoding: str = "utf-8", chunk: int = CHUNK) -> Export:
    """Open a table whose first record is its header. Raises Refused with the reason when it is not a table."""
    return open_content(content_of(path), Shape(encoding, chunk))


def open_content(content: Content, shape: Shape) -> Export:
    """Open a table of a declared shape. Raises Refused with the reason when it is not a table."""
    kind = content.kind
    if kind == "parquet":
        return open_parquet(content)
    if kind == "spreadsheet":
        return open_spreadsheet(content, shape)
    if kind == "json":
        raise Refused('is JSON, not a table; say which (format = "fhir" or "cliniko" in clinic.toml)')
    return open_delimited(content, shape)
