"""Prefect's settings for this project, set before Prefect is imported. Variables of the environment have priority."""

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
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the night prints its own report; the server keeps the logs
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # seconds; deployments.py frees the slot of a run without heartbeats
}.items():
    os.environ.setdefault(name, value)


def prefect_home() -> Path:
    """The folder with Prefect's settings and, on one machine, its database."""
    return Path(os.environ["PREFECT_HOME"]).expanduser()


def make_home() -> Path:
    """Make PREFECT_HOME, readable by this user only, because it contains a password. Raises Unusable when it cannot be
    written."""
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


with suppress(Unusable):  # Prefect would make it readable for others; commands that start a server check it again
    make_home()
# Otherwise Prefect repeats this warning for each of its modules.
warnings.filterwarnings("ignore", "Failed to create the Prefect home directory")
