"""A monitor outside is told when a night begins and how it ends: it notices a machine from which nothing comes at all.

The address holds a secret, so it is in RAPPORT_HEARTBEAT or DIR/private/heartbeat. It takes a POST, as healthchecks and
its like do: `ADDRESS/start`, `ADDRESS` for a night that published, `ADDRESS/STATUS` for one that failed. Nothing told
names anything. A monitor that does not answer fails no night.
"""

from __future__ import annotations

import http.client
import os
import urllib.parse
import urllib.request
from pathlib import Path

from rapport.flows.messages.channels import written_in
from rapport.flows.terminal import complain

ANSWERS_WITHIN = 10  # seconds
TRIES = 2
START = "start"


def beat(warehouse: Path, what: str = "", line: str = "") -> None:
    """Tell the monitors of a warehouse; `what` stands behind their addresses."""
    for address in (os.environ.get("RAPPORT_HEARTBEAT") or written_in(warehouse, "heartbeat")).split():
        if not any(_took(address, what, line) for _ in range(TRIES)):
            complain("a heartbeat did not arrive; check RAPPORT_HEARTBEAT or private/heartbeat")


def _took(address: str, what: str, line: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https"):
            return False
        path = "/".join(filter(None, (parts.path.rstrip("/"), what)))
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "rapport"}
        request = urllib.request.Request(parts._replace(path=path).geturl(), line.encode(), headers)
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN):
            return True
    except (OSError, ValueError, http.client.HTTPException):
        return False
