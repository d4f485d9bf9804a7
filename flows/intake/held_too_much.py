"""The limits of what may be held back: of a source's records tonight, and of a file's."""

from __future__ import annotations

from rapport.flows.delivery import Delivery
from rapport.flows.steps.discover import Found
from rapport.flows.workbench import Workbench
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import Refused
from rapport.warehouse.intake.held_shares import HeldShare, held_by_file, held_by_source

_MEND = "correct a renamed column or word in the export or in clinic.toml"
_MEND_FIRST = "rapport check says which keys of clinic.toml to correct"  # of a source that no load has read
_MEND_ROUNDED = "a spreadsheet rounded these ids: export them as text, and do not save the file with a spreadsheet"


def stop_if_too_much(bench: Workbench, found: Found) -> dict[str, str]:
    """Return per source a sentence about tonight's files of which more than half of the records are held back.

    Raises Refused for a file without one readable record, and for a source of which too many records are held back. A
    file of one record is judged with its source: some systems write a file for each record.
    """
    clinic, files = bench.order.clinic, held_by_file(bench.con)
    sources, loaded = held_by_source(files), {each.source for each in bench.spaces_used}
    for share in (*(each for each in files if each.record_count > 1), *sources):
        if what := refusal(share, clinic, is_whole_source=share in sources, is_first=share.source not in loaded):
            raise _refused(found, share, what)
    most = held_by_source(each for each in files if each.is_most)
    return {share.source: _told(found, share, _mend(share, share.source not in loaded)) for share in most}


def refusal(share: HeldShare, clinic: Clinic, *, is_whole_source: bool, is_first: bool = False) -> str | None:
    """Why a file or a source stops the night; None where it does not. With quarantine_limit = 1 nothing does."""
    limit, mend = clinic.quarantine_limit, _mend(share, is_first)
    if share.is_all and limit < 1:
        return f"would have {share.told}, so no record is readable: {mend}, or take the file out of the exports folder"
    if is_whole_source and share.record_count >= clinic.quarantine_minimum and share.is_more_than(limit):
        return f"would have {share.told}, more than {limit:.0%}: {mend}, or raise quarantine_limit there"
    return None


def _mend(share: HeldShare, is_first: bool) -> str:
    is_rounded = all(rule.startswith("rounded_id ") for rule in share.rules)
    if share.rules and is_rounded:
        return _MEND_ROUNDED
    return _MEND_FIRST if is_first else _MEND


def _refused(found: Found, share: HeldShare, what: str) -> Refused:
    worst = _worst(found, share)
    others = len(share.file_ids) - 1
    beside = f" and {others:,} more of the source {share.source}" if others else ""
    return Refused(what, label=f"{worst.label}{beside}", name=f"{worst.path.name}{beside}")


def _worst(found: Found, share: HeldShare) -> Delivery:
    """The file with the most held records."""
    return next(each for each in found.deliveries if each.file_id == share.file_ids[0].replace("-", ""))


def _told(found: Found, share: HeldShare, mend: str) -> str:
    """The sentence about a source's files of which more than half is held back."""
    count = len(share.file_ids)
    files = _worst(found, share).label if count == 1 else f"{count:,} files"
    has = "has" if count == 1 else "have"
    return (
        f"the source {share.source}: {files} {has} {share.told}, more than half; {mend}, and "
        "see the records with rapport inbox"
    )
