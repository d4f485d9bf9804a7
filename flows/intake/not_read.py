"""What a night does not read of the exports folder, and the sources that have no file there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rapport.flows.order import Order
from rapport.transforms.sources.opening.passed_over import UPLOADS, is_no_export, is_upload
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import escaped

SHOWN = 5  # names


@dataclass(frozen=True)
class NotRead:
    """The files of the exports folder that were not read, and the sources without a file."""

    strays: tuple[str, ...] = ()  # names of files that match no source
    later: tuple[str, ...] = ()  # the source of each file that is dated after the night
    upload_count: int = 0  # files that are not copied completely
    without_file: tuple[str, ...] = ()  # sources

    @property
    def sentences(self) -> list[str]:
        """Sentences for the night's report, with what to do. None names a file."""
        return [*self._of_names(), *self._of_dates(), *self._of_uploads()]

    @property
    def names(self) -> str | None:
        """The first names of files that match no source, for a terminal; None where there are none."""
        more = f" and {len(self.strays) - SHOWN:,} more" if len(self.strays) > SHOWN else ""
        return f"{', '.join(map(escaped, self.strays[:SHOWN]))}{more}" if self.strays else None

    def _of_names(self) -> Iterator[str]:
        parts = []
        if count := len(self.strays):
            parts.append(f"{count:,} {'file matches' if count == 1 else 'files match'} no source")
        if count := len(self.without_file):
            parts.append(f"source{'s' * (count > 1)} {', '.join(self.without_file)} had none tonight")
        if parts:
            yield f"{'; '.join(parts)}: compare the names in the exports folder with files in clinic.toml"

    def _of_dates(self) -> Iterator[str]:
        if count := len(self.later):
            whose = ", ".join(sorted(set(self.later)))
            yield (
                f"{count:,} {'file is' if count == 1 else 'files are'} dated after tonight ({whose}) and not read: if "
                "the date in a name is wrong, rename the file"
            )

    def _of_uploads(self) -> Iterator[str]:
        if count := self.upload_count:
            ends = ", ".join(UPLOADS)
            yield (
                f"{count:,} {'file is an unfinished upload' if count == 1 else 'files are unfinished uploads'} and not "
                f"read ({ends}): if nobody is copying it, copy it again"
            )


def names_in(exports: Path, *, deep: bool) -> Iterator[tuple[str, Path]]:
    """The names in the exports folder in order, also of folders, each with its path; `deep`: the files below it, whose
    names have slashes. Raises OSError for a folder that cannot be listed, because its files would be missed."""
    for path in sorted(_all_below(exports) if deep else exports.iterdir()):
        yield path.relative_to(exports).as_posix() if deep else path.name, path


def _all_below(exports: Path) -> Iterator[Path]:
    """All files below a folder. Hidden folders and a disk's lost+found may be unreadable."""

    def refuse_unreadable(error: OSError) -> None:
        if not Path(error.filename).name.startswith((".", "lost+found")):
            raise error

    for folder, _, names in os.walk(exports, onerror=refuse_unreadable):
        yield from (Path(folder, name) for name in names)


def find_not_read(order: Order, matched: Iterable[tuple[Source, Path, datetime | None]]) -> NotRead:
    """Compare the exports folder with the files that match a source."""
    sources = order.clinic.sources
    paths, later, has_file = set(), [], set()
    for source, path, exported_at in matched:
        paths.add(path)
        if exported_at and exported_at > order.as_of:
            later.append(source.name)
        else:
            has_file.add(source.name)
    expected = sources if order.clinic.names_its_sources else ()
    strays, upload_count = unclaimed(order.exports, sources, paths)
    return NotRead(
        strays=strays,
        later=tuple(later),
        upload_count=upload_count,
        without_file=tuple(source.name for source in expected if source.name not in has_file),
    )


def unclaimed(exports: Path, sources: Iterable[Source], claimed: Collection[Path]) -> tuple[tuple[str, ...], int]:
    """The names in the exports folder of files that no source takes, and how many of the others are uploads."""
    others = [
        name
        for name, path in names_in(exports, deep=any("/" in source.files for source in sources))
        if path not in claimed and not path.is_dir()
    ]
    strays = tuple(name for name in others if not is_no_export(Path(name).name) and not _is_hidden(name))
    return strays, sum(map(is_upload, others))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts)
