"""Errors as one sentence without values. The message of another library may contain values."""

from __future__ import annotations

import errno
import os
import traceback
from contextlib import suppress
from pathlib import Path

import rapport
from rapport.flows.stopping import stopped
from rapport.warehouse.errors import Damaged, Passing, RapportError, Stopped, Unusable
from rapport.warehouse.store.opening import is_damage

PASSES = {  # the error numbers of a network or a network share that is away for a while
    *(errno.EIO, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO, errno.ENOTCONN, errno.ECONNRESET),
    *(errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
}
RAPPORT = Path(rapport.__file__).parent
PATHS = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}  # the error numbers of an unusable path


def sayable(error: BaseException) -> RapportError:
    """Return the error as one sentence that is safe in a log. After a signal, return the signal itself: the work that
    it interrupts fails with errors of many kinds."""
    if isinstance(error, Stopped):
        return error
    if isinstance(error, RapportError):
        return stopped() or error
    return stopped(error) or _of_the_surroundings(error) or _fault(error)


def _of_the_surroundings(error: BaseException) -> RapportError | None:
    if isinstance(error, OSError):
        return _about_a_disk(error)
    if is_damage(error):
        return Damaged("a warehouse file is damaged; look at the machine's disk and memory, then run this again")
    if type(error).__module__ == "_duckdb" and _is_about_the_disk(error):
        return RapportError("the disk is full or failing; make room, then run the night again")
    if "Failed to reach API" in str(error) or type(error).__name__ in ("ConnectError", "ConnectTimeout"):  # Prefect's
        return RapportError("the Prefect server of PREFECT_API_URL does not answer; start it, or unset PREFECT_API_URL")
    if type(error).__name__ == "PrefectHTTPStatusError":
        status = getattr(error, "response").status_code  # noqa: B009  its type is Prefect's, which is not imported here
        return RapportError(
            f"the Prefect server refused a request ({status}); check PREFECT_API_AUTH_STRING and the server's version"
        )
    return None


def _about_a_disk(error: OSError) -> RapportError:
    if isinstance(error, PermissionError):
        return _about_rights(_folder(error))
    if isinstance(error, IsADirectoryError | NotADirectoryError | FileExistsError):
        return Unusable(
            f"in {_folder(error)} a folder has the name of a file, or a file that of a folder; move it away"
        )
    reason = error.strerror or type(error).__name__
    if error.errno in PATHS:
        return Unusable(f"a path cannot be used ({reason}); check the paths that were given")
    if error.errno in PASSES:
        return Passing(f"a disk or a share did not answer ({reason}); mount it again, then run the night again")
    return RapportError(f"the disk has failed ({reason}); make room on it or replace it, then run the night again")


def _fault(error: BaseException) -> RapportError:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(RAPPORT)] or frames
    place = f"{_module(Path(ours[-1].filename))}, line {ours[-1].lineno}"
    return RapportError(f"the night broke in {place} ({type(error).__name__}); this is a fault of Rapport, report it")


def _module(file: Path) -> str:
    """A module's path in Rapport, such as transforms/sources/fhir.py. For a library: its folder and file name."""
    return str(file.relative_to(RAPPORT) if file.is_relative_to(RAPPORT) else Path(*file.parts[-2:]))


def _about_rights(folder: str) -> Unusable:
    """The error of a folder, or of a file in it. The file is not named: its name may contain a person's name."""
    if os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Unusable(f"a file in {folder} belongs to another user; give it to the user who runs this")
    return Unusable(f"{folder} may not be read or written by this user; run this as the user who may")


def _folder(error: OSError) -> str:
    """The folder of an error, never the file: a file's name may contain a person's name."""
    if not error.filename:
        return "a folder"
    path = Path(os.fsdecode(error.filename))
    if error.filename2 and not path.is_absolute():  # for a link, the first name is only its target
        path = Path(os.fsdecode(error.filename2))
    with suppress(PermissionError):
        if isinstance(error, PermissionError) and path.is_dir():
            return str(path)
    return str(path.parent)


def _is_about_the_disk(error: BaseException) -> bool:
    return any(
        word in str(error) for word in ("No space left", "Could not write", "File too large", "disk", "truncate")
    )
