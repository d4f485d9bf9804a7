"""What a check found, on the terminal. Shapes and words go nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from rapport.flows.check.check_files import FilesChecked
from rapport.flows.check.checked_file import FINE, STOP, CheckedFile
from rapport.flows.check.people import SourcePeople
from rapport.flows.check.problem import Problem, counted
from rapport.flows.messages.literal import grid, line

_INDENT = "   "
_FOUND = {
    "nobody_in_common": "NOBODY IN COMMON",
    "few_in_common": "FEW IN COMMON",
    "automatic_numbers": "AUTOMATIC NUMBERS",
}


def print_files(console: Console, found: FilesChecked, clinic_errors: list[str]) -> None:
    """Print the problems of the clinic file and of each file, and whether the sources speak of the same people."""
    sources = {each.source for each in found.files}
    records = sum(each.record_count for each in found.files)
    counts = ((len(sources), "source"), (len(found.files), "file"), (records, "record"))
    told = f"{', '.join(counted(*each) for each in counts)}. Nothing is written."
    console.print(line(told), "", soft_wrap=True)
    for error in clinic_errors:
        _print(console, line(("clinic file  ", "bold"), error))
    if clinic_errors:
        console.print()
    for files in _alike(found.files):
        _print_file(console, files[-1], len(files) - 1)
    for what, lines in (("not read", found.not_read), ("in no source", found.unclaimed)):
        for each in lines:
            _print(console, line((f"{what}  ", "bold"), each))
    _print_people(console, found.people)
    console.print(line(_last(found, clinic_errors)), soft_wrap=True)


def _print(console: Console, text: object) -> None:
    console.print(text, soft_wrap=True)


def _alike(files: Iterable[CheckedFile]) -> list[list[CheckedFile]]:
    """Files of one source with the same problems together: a folder may hold the exports of many nights."""
    groups: dict[tuple[object, ...], list[CheckedFile]] = {}
    for file in files:
        kinds = frozenset((each.code, each.column, each.say) for each in file.problems)
        groups.setdefault((file.source, file.verdict, kinds), []).append(file)
    return list(groups.values())


def _print_file(console: Console, file: CheckedFile, others: int) -> None:
    """Print a file, and how many earlier ones are like it."""
    style = {FINE: "green", STOP: "bold red"}.get(file.verdict, "yellow")
    counts = f"{counted(file.record_count, 'record')}, {file.readable_count:,} readable"
    more = f"  and {counted(others, 'file')} like it" if others else ""
    _print(console, line((file.source, "bold"), f"  {file.name}  {counts}  ", (file.verdict, style), more))
    for problem in file.problems:
        for each in _lines(problem):
            _print(console, line(f"{_INDENT}{each}"))


def _lines(problem: Problem) -> list[str]:
    column = f"{problem.column}: " if problem.column else ""
    return [f"{column}{problem.sentence}", *([f"{_INDENT}{problem.say}"] if problem.say else [])]


def _print_people(console: Console, people: list[SourcePeople]) -> None:
    if not people:
        return
    table = grid(
        "source", "id space", "clients", "known to the appointments", "responses", "matched to a session",
        title="Do the files speak of the same people?",
    )  # fmt: skip
    for row in people:
        table.add_row(
            row.source,
            row.id_space,
            f"{row.client_count:,}",
            _share(row.known_count, row.client_count),
            f"{row.response_count:,}",
            _share(row.matched_count, row.response_count) if row.response_count else "",
        )
    console.print("", table)
    for row in people:
        if row.finding:
            _print(console, line((_FOUND[row.finding.word], "bold"), f"  {row.finding.sentence}"))
    console.print()


def _share(count: int | None, of: int) -> str:
    if count is None:
        return "not counted"
    return f"{count:,} ({count / of:.0%})" if of else "-"


def _last(found: FilesChecked, clinic_errors: list[str]) -> str:
    """What to do next."""
    stop = {each.source for each in found.files if each.stops}
    look = {each.source for each in found.files if each.verdict != FINE}
    look = (look | {each.source for each in found.people if each.finding}) - stop
    if not (stop or look or clinic_errors or found.not_read):
        return "Nothing is wrong with the files."
    told = [
        f"{counted(len(clinic_errors), 'error')} in the clinic file" if clinic_errors else "",
        f"{counted(len(stop), 'source')} would stop a night" if stop else "",
        f"{counted(len(look), 'source')} should be looked at" if look else "",
        f"{counted(len(found.not_read), 'source')} not read" if found.not_read else "",
    ]
    return f"{', '.join(filter(None, told))}. Mend clinic.toml, and run this again."
