"""Ways to reach the operators: the clinic's on_failure command, and any service that Apprise knows.

Addresses contain secrets. So they are in RAPPORT_TELL or DIR/private/tell, and not in the clinic file: Apprise URLs,
separated by white space or line ends (mailto://..., slack://..., msteams://..., json://...).
"""

from __future__ import annotations

import logging
import os
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

from rapport.flows.messages.children import OURS, PREFECTS, environment
from rapport.flows.terminal import print_error
from rapport.warehouse.clinic_file.monitoring import read_monitoring
from rapport.warehouse.places.folders import Folders

ENDS_WITHIN = 60  # seconds, for the command


@dataclass(frozen=True)
class Channels:
    """How a clinic's operators are reached."""

    command: tuple[str, ...]  # the words of on_failure; empty where there is no command
    addresses: tuple[str, ...]

    @property
    def are_any(self) -> bool:
        return bool(self.command or self.addresses)

    def send(self, title: str, text: str) -> bool:
        """Send one message over every channel. Return whether at least one channel accepted it."""
        taken = [self._run(f"{title}: {text}")] if self.command else []
        if self.addresses:
            taken.append(self._notify(title, text))
        return any(taken)

    def _run(self, line: str) -> bool:
        variables = environment(OURS, PREFECTS)
        try:
            subprocess.run([*self.command, line], env=variables, check=True, timeout=ENDS_WITHIN, capture_output=True)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            print_error(f"on_failure could not be run ({type(error).__name__}); check it in the clinic file")
            return False
        return True

    def _notify(self, title: str, text: str) -> bool:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # warnings of its own imports
            import apprise  # noqa: PLC0415  slow to import, and needed only for a message

            logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages would contain addresses
            reached = apprise.Apprise()
            known = [reached.add(address) for address in self.addresses]
            taken = bool(reached.notify(title=title, body=text)) if any(known) else False
        if not taken or not all(known):
            print_error("a message could not be sent to every address; check RAPPORT_TELL or private/tell")
        return taken


def channels(clinic: Path, warehouse: Path) -> Channels:
    """The channels of a warehouse. They work even where the rest of its clinic file is unusable."""
    command = read_monitoring(clinic).on_failure
    return Channels(command, tuple((os.environ.get("RAPPORT_TELL") or written_in(warehouse, "tell")).split()))


def written_in(warehouse: Path, name: str) -> str:
    """The text of a file of addresses in the private tree; empty where there is none. An unreadable file is reported on
    standard error, because no message can be sent. The command itself refuses users who may not enter the tree."""
    private = Folders(warehouse).private
    try:
        return (private / name).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        if os.access(private, os.X_OK):
            print_error(
                f"private/{name} cannot be read ({error.strerror}), so nothing is sent; give this user the file"
            )
        return ""
