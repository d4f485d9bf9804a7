"""Names of files that are no exports: unfinished uploads, and what other programs leave beside a file."""

from __future__ import annotations

UPLOADS = (".part", ".filepart", ".tmp", ".partial", ".crdownload")  # the ends of names, while a file is copied
_BESIDE = ("~$", "._", ".~lock.")  # a lock of Office, what macOS keeps beside a file, a lock of LibreOffice
_OF_FOLDERS = (".ds_store", "thumbs.db", "desktop.ini")


def is_upload(name: str) -> bool:
    """Whether a file's name says that it is not copied completely.

    >>> is_upload("appointments.csv.filepart"), is_upload("appointments.csv")
    (True, False)
    """
    return name.casefold().endswith(UPLOADS)


def is_no_export(name: str) -> bool:
    """Whether a file's name says that it is no export, whatever a pattern says. `name`: without its folder.

    >>> [is_no_export(name) for name in ("~$visits.xlsx", "._visits.csv", ".DS_Store", "visits.csv.part", "visits.csv")]
    [True, True, True, True, False]
    """
    return is_upload(name) or name.startswith(_BESIDE) or name.casefold() in _OF_FOLDERS
