"""The process that listens on a port of the loopback address. On Linux, /proc has this for processes of this user."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import suppress
from pathlib import Path

from rapport.warehouse.errors import Unusable

LOOPBACK = "127.0.0.1"
_LISTENS = "0A"  # the state, in /proc/net/tcp
PROC = Path("/proc")


def is_taken(port: int) -> bool:
    """Whether a process listens on the port. Raises Unusable for a port that this user may not use."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn: a process that ended does not count
        try:
            tried.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                return True
            raise Unusable(f"port {port} cannot be used ({error}); choose one from 1024 to 65535 with --port") from None
    return False


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since the machine started. A process number may be used again, but not
    with the same start. None where the system does not say, or where there is no such process."""
    try:
        facts = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
        return int(facts.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def is_listening(pid: int, port: int) -> bool | None:
    """Whether this process of this user listens on the port; None where the system does not say."""
    address = f"{int.from_bytes(socket.inet_aton(LOOPBACK), sys.byteorder):08X}:{port:04X}"
    try:
        lines = [line.split() for line in (PROC / "net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return None
    sockets = {f"socket:[{line[9]}]" for line in lines if (line[1], line[3]) == (address, _LISTENS)}
    return bool(sockets & set(_open_files(pid)))


def _open_files(pid: int) -> list[str]:
    found = []
    with suppress(OSError):  # the process is another user's, or there is none
        for each in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                found.append(each.readlink().as_posix())
    return found
