"""The errors of Rapport. Each is one sentence that says what to do.

    RapportError            the night stops; yesterday's warehouse stands        exit 1
      Refused               a file is not what its source says it is (MissingColumn, OrderOfDates, OtherRange)
      Passing               the cause may pass by itself: the night is tried again before it fails
      DidNotRun             a check could not run: neither passed nor failed
      Damaged               a file of the warehouse cannot be read: its bytes have changed since they were written
    Unusable                the arguments or the clinic file cannot be used      exit 2
    NightRunning            another night holds the lock                         exit 3
    Stopped                 a signal ended the command                           exit 128 + its number

`str(error)` is safe for logs, Prefect and messages. It names files by id and pattern, because a file's name may contain
a person's name. `error.told` is for the terminal and names the file.
"""

from __future__ import annotations

import signal
import unicodedata
from pathlib import Path

LONGEST = 1000  # characters of an error's sentence
_UNSHOWN = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of control characters, half characters and line ends


def escaped(text: str) -> str:
    r"""Return a text on one line, with control characters escaped. Bytes of a file's name that are not UTF-8 are
    escaped too, as \xe9."""
    return "".join(_escape(each) if unicodedata.category(each) in _UNSHOWN else each for each in text)


def _escape(character: str) -> str:
    """Return a character's escape. Python stores a byte that is not UTF-8 as half a character, 0xDC00 plus the byte."""
    is_byte = "\udc80" <= character <= "\udcff"
    return f"\\x{ord(character) - 0xDC00:02x}" if is_byte else character.encode("unicode_escape").decode()


def one_line(text: str) -> str:
    """Return the escaped text; the middle of a very long one is left out."""
    shown = escaped(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST // 2]} ... {shown[-LONGEST // 2 :]}"


class RapportError(Exception):
    """The night cannot go on."""

    status = 1  # the exit status of the command
    stands = "yesterday's warehouse stands"

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))

    @property
    def told(self) -> str:
        return str(self)


class Refused(RapportError):
    """A file is not what its source says it is. `label` is safe to log, `name` is for the terminal only."""

    def __init__(self, what: str, *, label: str = "a file", name: str | None = None) -> None:
        self.what, self.label, self.name = what, label, name
        super().__init__(f"{label} {what}")

    @property
    def told(self) -> str:
        return one_line(f"{self.name or self.label} {self.what}")

    def of(self, label: str, name: str) -> Refused:
        """Return the same refusal with the name of its file."""
        return Refused(self.what, label=label, name=name)


class MissingColumn(Refused):
    """A file has no column of this name."""

    def __init__(self, column: str, what: str) -> None:
        self.column = column
        super().__init__(what)


class OrderOfDates(Refused):
    """A column's dates fit both orders of day and month, or neither."""

    def __init__(self, column: str, what: str) -> None:
        self.column = column
        super().__init__(what)


class OtherRange(Refused):
    """A form's answers are written on another range than its questionnaire's."""

    def __init__(self, form: str, what: str) -> None:
        self.form = form
        super().__init__(what)


class Passing(RapportError):
    """The night failed for a cause that may pass by itself, such as a network or a share without an answer."""


class DidNotRun(RapportError):
    """A check could not run, so nothing is known about what it checks."""


class Damaged(RapportError):
    """A file of the warehouse cannot be read: its bytes have changed since they were written. `file`: the file, if
    known."""

    def __init__(self, said: str, file: Path | None = None) -> None:
        self.file = file
        super().__init__(said)


class Unusable(RapportError):
    """The arguments or the clinic file cannot be used."""

    status = 2


class NightRunning(RapportError):
    """Another night holds the lock."""

    status = 3


class Stopped(RapportError):
    """A signal ended the command."""

    def __init__(self, number: int, load_id: int | None = None) -> None:
        self.number, self.status = number, 128 + number
        if load_id:
            self.stands = f"load {load_id} is published"
        super().__init__(f"stopped by {signal.Signals(number).name}; run it again")
