"""A delivered file's bytes: its kind, the one file of an archive, and its text as UTF-8 with line feeds.

A byte-order mark wins over the encoding in clinic.toml. Without a mark nothing is guessed.
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rapport.transforms.sources.opening.bounded import (
    Bounded,
    Unpacked,
    check_file,
    refusing_damage,
    too_large,
    unreadable,
)
from rapport.warehouse.clinic_file.memory import usual_memory
from rapport.warehouse.errors import Refused

START = 64 << 10  # the first bytes of a file, which show its kind
LONGEST_HEADER = 4 << 20  # bytes: up to there a line end is looked for, to see how lines end
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# A mark as UTF-8 writes it, and one whose bytes were taken for Windows-1252 and written again.
_MARKS_IN_UTF8 = (codecs.BOM_UTF8, codecs.BOM_UTF8.decode("cp1252").encode())
_CODECS = {"windows-1252": "cp1252", "mac-roman": "mac_roman"}
_SPREADSHEET = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}  # in XLSX, XLSB, ODS
_NO_DATA = ("__MACOSX/", ".")


@dataclass(frozen=True)
class Content:
    """A file, or the only file in an archive, its first bytes, and how many may be read."""

    path: Path
    member: str | None
    start: bytes
    memory: int

    @property
    def kind(self) -> str:
        """parquet, spreadsheet, json or text. Raises Refused for any other file."""
        if self.start.startswith(b"PAR1"):
            return "parquet"
        if self.start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            return "spreadsheet"
        looks = self.start.decode(self._mark or "utf-8", errors="ignore").lstrip("\ufeff \t\r\n").lower()
        if looks.startswith(("<!doctype", "<html")):
            raise Refused("is a web page, not a data file (an expired login?); download the export again")
        if looks.startswith("%pdf"):
            raise Refused("is a PDF, not a data file; export it as CSV")
        return "json" if _is_json(looks) else "text"

    @property
    def _mark(self) -> str | None:
        return next((name for mark, name in _MARKS.items() if self.start.startswith(mark)), None)

    @contextmanager
    def stream(self) -> Iterator[Bounded]:
        """The bytes, to be read once. Raises Refused when an archive is damaged or locked."""
        with ExitStack() as stack:
            file = stack.enter_context(self.path.open("rb"))
            if self.member is None:
                yield Bounded(file, self.memory)
                return
            with refusing_damage():
                packed = stack.enter_context(zipfile.ZipFile(file).open(self.member))
            yield Unpacked(packed, self.memory)

    def whole(self, limit: int) -> bytes:
        """All bytes of a file that cannot be read in pieces. Raises Refused above the limit."""
        with self.stream() as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Refused(f"is above {limit >> 20} MB, too large for its format; export it in pieces, or as CSV")
        return data

    def text(self, encoding: str, chunk: int) -> Iterator[bytes]:
        """The text as UTF-8 without a mark, in pieces. Carriage returns that end lines alone become line feeds."""
        name = self._mark or encoding
        if name != "utf-16" and b"\0" in self.start and self._mark is None:
            raise Refused('holds NUL bytes: it is no text, or UTF-16 (then add encoding = "utf-16" to its source)')
        pieces = _without_marks(self._as_utf8(name, chunk))
        if self._ends_lines_with_returns(_CODECS.get(name, name)):
            return (piece.replace(b"\r", b"\n") for piece in pieces)
        return pieces

    def _ends_lines_with_returns(self, codec: str) -> bool:
        """Whether lines end with carriage returns alone: there is one, and no line feed within a header's length."""
        head = self.start.decode(codec, errors="ignore")
        if "\n" not in head and len(self.start) == START:
            with self.stream() as file:
                head = file.read(LONGEST_HEADER).decode(codec, errors="ignore")
        return "\r" in head and "\n" not in head

    def _as_utf8(self, name: str, chunk: int) -> Iterator[bytes]:
        with self.stream() as file:
            if name == "utf-8":
                while piece := file.read(chunk):
                    yield piece + file.readline(chunk)  # mostly a whole record, so that nothing is held over
                return
            decoder = codecs.getincrementaldecoder(_CODECS.get(name, name))()
            try:
                while piece := file.read(chunk):
                    yield decoder.decode(piece).encode()
                decoder.decode(b"", final=True)
            except UnicodeError:
                raise Refused(f"is not text in {name}; correct encoding in clinic.toml") from None


def _without_marks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The text without the marks at its beginning: some programs add a mark to a text that has one."""
    begun = b""
    for piece in pieces:
        begun += piece
        while mark := next(filter(begun.startswith, _MARKS_IN_UTF8), b""):
            begun = begun.removeprefix(mark)
        if len(begun) >= max(map(len, _MARKS_IN_UTF8)):
            break
    if begun:
        yield begun
    yield from pieces


def content_of(path: Path, memory: int | None = None) -> Content:
    """A file's content, with a limit of bytes, counted unpacked. Raises Refused when it cannot be opened, is empty or
    too large, or is an archive of several files.
    """
    memory = memory or usual_memory()
    try:
        check_file(path, memory)
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise unreadable(error) from None
    if not start:
        raise Refused("is empty (0 bytes); export it again")
    if start.startswith(b"PK\x03\x04") and (member := _only_member(path, memory)):
        with Content(path, member, b"", memory).stream() as file:
            return Content(path, member, file.read(START), memory)
    return Content(path, None, start, memory)


def _only_member(path: Path, memory: int) -> str | None:
    """The one file in an archive; None when the archive is itself a spreadsheet."""
    with refusing_damage(), zipfile.ZipFile(path) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist() if not each.is_dir()}
    names = list(sizes)
    if _SPREADSHEET.intersection(names):
        if sum(sizes.values()) > memory:
            raise too_large(memory)
        return None
    names = [name for name in names if not name.startswith(_NO_DATA)]
    if len(names) != 1:
        raise Refused(f"is an archive of {len(names)} files; unpack the one that is meant into the exports folder")
    return names[0]


def _is_json(looks: str) -> bool:
    """Whether a text begins as JSON and not as a table: a brace or bracket, then a quote, a brace or its end."""
    if not looks.startswith(("{", "[")):
        return False
    return looks[1:].lstrip().startswith(('"', "{", "[", "}", "]"))
