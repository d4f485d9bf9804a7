"""What can go wrong, each as one sentence that says what to do.

    RapportError            the night stops; yesterday's warehouse stands        exit 1
      Refused               a file is not what its source says it is
      Passing               what failed it may pass by itself: the night is tried again before it is given up
      DidNotRun             a check could not run: neither passed nor failed
      Damaged               a file of the warehouse cannot be read: its bytes are not those that were written
    Unusable                the arguments or the clinic file cannot be used      exit 2
    NightRunning            another night holds the lock                         exit 3
    Stopped                 a signal ended the command                           exit 128 + its number

`str(error)` is safe for logs, Prefect and messages: it names files by id and pattern, because a file's name
may hold a person's. `error.told` is for the terminal and names the file.
"""

from __future__ import annotations

import signal
import unicodedata
from pathlib import Path

LONGEST = 1000  # characters of a sentence
_UNSHOWN = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories of control characters, half characters and line ends


def escaped(text: str) -> str:
    r"""A text that may hold a name or a part of a file, on one line: control characters are escaped. So are bytes of a
    file's name that are no UTF-8, as \xe9."""
    return "".join(_escape(each) if unicodedata.category(each) in _UNSHOWN else each for each in text)


def _escape(character: str) -> str:
    """Python has a byte of such a name as half a character, 0xDC00 and the byte."""
    is_byte = "\udc80" <= character <= "\udcff"
    return f"\\x{ord(character) - 0xDC00:02x}" if is_byte else character.encode("unicode_escape").decode()


def one_line(text: str) -> str:
    """The same, and of a very long one the middle is left out."""
    shown = escaped(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST // 2]} ... {shown[-LONGEST // 2 :]}"


class RapportError(Exception):
    """The night cannot go on."""

    status = 1  # of the command that meets it
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
        """The same refusal, naming its file."""
        return Refused(self.what, label=label, name=name)


class Passing(RapportError):
    """What failed the night may pass by itself: a share that did not answer, a network that was away."""


class DidNotRun(RapportError):
    """A check could not run, so nothing is known about what it checks."""


class Damaged(RapportError):
    """A file of the warehouse cannot be read: its bytes are not those that were written. `file`: which, if known."""

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
