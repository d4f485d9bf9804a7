"""Signals to an outside monitor when a night begins and ends. The monitor notices a machine that sends nothing at all.

The address contains a secret, so it is in RAPPORT_HEARTBEAT or DIR/private/heartbeat. It gets a POST request, as
healthchecks.io and similar services expect: `ADDRESS/start`, `ADDRESS` for a published night, `ADDRESS/STATUS` for a
failed one. No request names a file, a person or a value. A monitor that does not answer fails no night.
"""

from __future__ import annotations

import http.client
import os
import urllib.parse
import urllib.request
from pathlib import Path

from rapport.flows.messages.channels import written_in
from rapport.flows.terminal import print_error

ANSWERS_WITHIN = 10  # seconds
TRIES = 2
START = "start"


def beat(warehouse: Path, what: str = "", line: str = "") -> None:
    """Send a signal to the monitors of a warehouse. `what` is the last part of the address, `line` the content."""
    for address in (os.environ.get("RAPPORT_HEARTBEAT") or written_in(warehouse, "heartbeat")).split():
        if not any(_took(address, what, line) for _ in range(TRIES)):
            print_error("a heartbeat did not arrive; check RAPPORT_HEARTBEAT or private/heartbeat")


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
