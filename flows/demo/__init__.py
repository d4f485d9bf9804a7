"""A simulated practice whose systems export every night: the demo clinic."""

from datetime import date
from pathlib import Path
from typing import Any

from rapport.flows.demo import appointments as practice_system
from rapport.flows.demo import episodes, own_form, redcap
from rapport.flows.demo.bookings import calendar
from rapport.flows.demo.clinic_file import clinic_file
from rapport.flows.demo.nights import Export, deliveries, save
from rapport.flows.demo.people import Practice, people, practice
from rapport.flows.demo.truth import Truth, earlier_files

LAST_NIGHT = date(2026, 11, 20)
KINDS = ("full", "increment")


def write(
    out: Path,
    *,
    clients: int = 240,
    nights: int = 10,
    seed: int = 7,
    until: date = LAST_NIGHT,
    clean: bool = False,
    surveys: str = "full",
    appointments: str = "increment",
    years: int = 2,
) -> dict[str, Any]:
    """Write `exports/`, `clinic.toml` and `truth.json` into `out`; the same arguments give the same bytes."""
    clinic = practice(seed, clients, nights, until, years)
    folder = emptied(out)
    settings = {"seed": seed, "clients": clients, "nights": nights, "until": until.isoformat()}
    truth = Truth(**settings, clean=clean, surveys=surveys)
    for export in exports(clinic, clean, surveys, appointments):
        for delivery in deliveries(export, clinic.nights):
            save(export, delivery, folder)
            truth.note(delivery)
    (out / "clinic.toml").write_text(clinic_file(), encoding="utf-8")
    truth.save(out / "truth.json")
    return truth.facts()


def exports(clinic: Practice, clean: bool, surveys: str, appointments: str = "increment") -> tuple[Export, ...]:
    """The four exports, each with the lines of all nights. Raises ValueError for an unknown kind of export."""
    for name, kind in (("surveys", surveys), ("appointments", appointments)):
        if kind not in KINDS:
            raise ValueError(f"{name} is {kind!r}; it can be {' or '.join(KINDS)}")
    clients = people(clinic)
    held = calendar(clinic, clients)
    return (
        practice_system.export(clinic, held.appointments, clean, is_whole=appointments == "full"),
        episodes.export(clinic, held.episodes, clean),
        redcap.export(clinic, clients, held.appointments, clean, is_whole=surveys == "full"),
        own_form.export(clinic, held),
    )


def emptied(out: Path) -> Path:
    """The exports folder, without the files of an earlier run. Other files stay."""
    folder = out / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    for name in earlier_files(out / "truth.json"):
        (folder / name).unlink(missing_ok=True)
    return folder
