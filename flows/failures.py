"""What went wrong, as one sentence without values: another library's message may hold them."""

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

PASSES = {  # what a share or a network says that is away for a while
    *(errno.EIO, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO, errno.ENOTCONN, errno.ECONNRESET),
    *(errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
}
RAPPORT = Path(rapport.__file__).parent
PATHS = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}  # what is wrong with a path that was given


def sayable(error: BaseException) -> RapportError:
    """Return the error as one sentence that may stand in a log. After a signal it is the signal: what that interrupts
    fails in its own words."""
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
        return Unusable(f"in {_folder(error)} a folder lies in a file's place, or a file in a folder's; move it away")
    said = error.strerror or type(error).__name__
    if error.errno in PATHS:
        return Unusable(f"a path cannot be used ({said}); check the paths that were given")
    if error.errno in PASSES:
        return Passing(f"a disk or a share did not answer ({said}); see that it does, then run the night again")
    return RapportError(f"the disk failed the night ({said}); make room or mend it, then run the night again")


def _fault(error: BaseException) -> RapportError:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(RAPPORT)] or frames
    place = f"{_module(Path(ours[-1].filename))}, line {ours[-1].lineno}"
    return RapportError(f"the night broke in {place} ({type(error).__name__}); this is a fault of Rapport, report it")


def _module(file: Path) -> str:
    """A module by its place in Rapport, such as transforms/sources/fhir.py; a library's by its folder and its name."""
    return str(file.relative_to(RAPPORT) if file.is_relative_to(RAPPORT) else Path(*file.parts[-2:]))


def _about_rights(folder: str) -> Unusable:
    """Who may not: into the folder, or to a file in it, which is not named: its name may hold a person's."""
    if os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Unusable(f"a file in {folder} belongs to another user; give it to the user who runs this")
    return Unusable(f"{folder} may not be read or written by this user; run this as the user who may")


def _folder(error: OSError) -> str:
    """The folder that an error is about, or lies in: a file's name may hold a person's."""
    if not error.filename:
        return "a folder"
    path = Path(os.fsdecode(error.filename))
    if error.filename2 and not path.is_absolute():  # of a link: the first name is only what it is to point at
        path = Path(os.fsdecode(error.filename2))
    with suppress(PermissionError):
        if isinstance(error, PermissionError) and path.is_dir():
            return str(path)
    return str(path.parent)


def _is_about_the_disk(error: BaseException) -> bool:
    return any(
        word in str(error) for word in ("No space left", "Could not write", "File too large", "disk", "truncate")
    )
