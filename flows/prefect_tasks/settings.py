"""Prefect's settings for this project, in force before Prefect is imported. The environment wins over all of them."""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from rapport.warehouse.errors import Unusable

ROOT = Path(__file__).resolve().parents[2]

for name, value in {
    "PREFECT_HOME": str(ROOT / ".prefect"),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # the default of 20 is too short on a cold machine
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the night tells its own story; the server keeps the logs
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # seconds; without any, deployments.py frees the slot
}.items():
    os.environ.setdefault(name, value)


def prefect_home() -> Path:
    """Where Prefect keeps its settings and, on one machine, its database."""
    return Path(os.environ["PREFECT_HOME"]).expanduser()


def make_home() -> Path:
    """PREFECT_HOME, for this user alone: a password is in it. Raises Unusable when it cannot be written."""
    home = prefect_home()
    try:
        home.mkdir(parents=True, mode=0o700, exist_ok=True)
        home.chmod(0o700)
        for made in home.glob("prefect.db*"):
            made.chmod(0o600)
        with tempfile.TemporaryFile(dir=home):
            return home
    except OSError as error:
        raise Unusable(
            f"PREFECT_HOME ({home}) cannot be written ({error.strerror}); give it to this user, or set another"
        ) from None


with suppress(Unusable):  # before Prefect makes it, readable to others; who starts a server asks again
    make_home()
# Otherwise Prefect says so once for each of its modules.
warnings.filterwarnings("ignore", "Failed to create the Prefect home directory")
