"""Workbooks and Parquet files are read in a child process with a limit of memory.

Their libraries take memory by what a file declares, not by its size. One cell far from its table (XFD1048576) makes 17
billion cells; one run in a Parquet column makes a billion rows. Without memory a process ends, and the night would end
too. The child starts with the first such file and lives as long as its parent.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl

from rapport.transforms.sources.opening.content import Content
from rapport.warehouse.clinic_file.memory import in_words
from rapport.warehouse.errors import Refused

_SERVE = f"from {__name__} import serve; serve()"
_FRAME, _REFUSED, _BROKE = b"+", b"-", b"!"  # what a message is: of one byte, then its length in eight
_ASKED = b"?"
_MEMORY = Path("/proc/self/statm")  # where Linux says how many pages a process has
_KEPT = 64 << 20  # bytes; a child that has sent more is ended, and gives back what it holds
_one_at_a_time = threading.Lock()
_child: subprocess.Popen[bytes] | None = None


def read_apart(read: Callable[..., pl.DataFrame], content: Content, *details: object) -> pl.DataFrame:
    """The result of a module's function on a file, in the child. Raises Refused where the function does, and where the
    child ends.
    """
    with _one_at_a_time:
        kind, body = _asked(pickle.dumps((read, content, details)))
    if kind == _FRAME:
        return pl.read_ipc(io.BytesIO(body))
    if kind == _BROKE:
        raise RuntimeError(body.decode())
    raise Refused(body.decode() or _too_much(content.memory))


def _asked(request: bytes) -> tuple[bytes, bytes]:
    """The child's reply; an empty refusal where the child ended."""
    global _child  # noqa: PLW0603  one for the process
    if _child is None or _child.poll() is not None:
        _child = _begun()
    try:
        asked, told = cast("BinaryIO", _child.stdin), cast("BinaryIO", _child.stdout)  # it was begun with both
        _send(asked, _ASKED, request)
        kind, body = _received(told)
    except (BrokenPipeError, EOFError):
        kind, body = _REFUSED, b""
    if not body or len(body) > _KEPT:
        _end(_child)
    return kind, body


def _begun() -> subprocess.Popen[bytes]:
    """A child with the same module paths. The output of its libraries may hold values, so nobody sees it."""
    path = os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    environment = {"POLARS_MAX_THREADS": "1", **os.environ, "PYTHONPATH": path}
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    child = subprocess.Popen([sys.executable, "-c", _SERVE], stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)
    atexit.register(_end, child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    with child:  # closes its pipes, and waits
        child.kill()


def _send(file: BinaryIO, kind: bytes, body: bytes | memoryview) -> None:
    file.write(kind + len(body).to_bytes(8, "little"))
    file.write(body)
    file.flush()


def _received(file: BinaryIO) -> tuple[bytes, bytes]:
    """The next message. Raises EOFError at the end."""
    head = file.read(9)
    size = int.from_bytes(head[1:], "little")
    body = file.read(size)
    if len(head) < 9 or len(body) < size:
        raise EOFError
    return head[:1], body


def _too_much(memory: int) -> str:
    much = f"{in_words(memory)}, the memory for reading"
    what = "is there a cell far from its table?"
    return f"cannot be read with {much}: {what} Export it again, or raise memory in clinic.toml"


def serve() -> None:
    """The child: answer requests until the parent's pipe closes."""
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold persons' data
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent is told too, and decides
    while True:
        try:
            _, request = _received(asked)
        except EOFError:
            return
        _send(told, *_reply(*pickle.loads(request)))


def _reply(
    read: Callable[..., pl.DataFrame], content: Content, details: tuple[object, ...]
) -> tuple[bytes, bytes | memoryview]:
    _limit(content.memory)
    made = io.BytesIO()
    try:
        read(content, *details).write_ipc(made)
    except Refused as refused:
        return _REFUSED, refused.what.encode()
    except MemoryError:
        return _REFUSED, b""
    except Exception as error:
        return _BROKE, f"{type(error).__name__} while a file was read apart".encode()
    except BaseException:  # a panic of a library in Rust
        return _REFUSED, b"is damaged, or holds what cannot be read; export it again, or as CSV"
    return _FRAME, made.getbuffer()


def _limit(memory: int) -> None:
    """Let the process grow by so much and no more. Only Linux gives a process's size."""
    if not _MEMORY.exists():
        return
    most = int(_MEMORY.read_text(encoding="ascii").split()[0]) * resource.getpagesize() + memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
