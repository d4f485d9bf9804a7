"""Answers drawn for questionnaires of many items."""

from collections.abc import Mapping

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from tests.clinics.drawn import clinic, computed


def row(count: int, every: object, **other: object) -> str:
    """`count` answers that are all `every`, but those named `i3=...`; "-" is not answered."""
    changed = {int(name[1:]): value for name, value in other.items()}
    return " ".join(str(changed.get(number, every)) for number in range(1, count + 1))


def scores_of(
    instrument: str, answers: str, declared: Clinic | None = None, rater: str = "client"
) -> dict[str, dict[str, object]]:
    """Each scale's row of the table scores, of one response."""
    drawn = f"response_id | instrument | rater | answers\nr1 | {instrument} | {rater} | {answers}"
    found = computed(declared or clinic(accepted=[instrument]), responses=drawn)["scores"]
    return {line["scale"]: line for line in found.iter_rows(named=True)}


def score(instrument: str, answers: str, scale: str = "total", **more: object) -> float | None:
    """One scale's score."""
    return scores_of(instrument, answers, **more)[scale]["score"]


def bands_of(
    score_rows: Mapping[str, float] | float,
    instrument: str,
    born: str = "",
    *,
    sex: str = "",
    rater: str = "client",
    declared: Clinic | None = None,
) -> pl.DataFrame:
    """The table score_bands of given scores on 2026-03-02 of one client."""
    given = score_rows if isinstance(score_rows, Mapping) else {"total": score_rows}
    words = ", ".join(f"{scale} {value}" for scale, value in given.items())
    drawn = f"""
        response_id | instrument   | rater   | completed_on | given_scores
        r1          | {instrument} | {rater} | 2026-03-02   | {words}
        """
    births = f"client_id | birth_date\nann | {born}" if born else ""
    client = f"client_id | sex\nann | {sex}"
    return computed(declared or clinic(), births=births, responses=drawn, clients=client)["score_bands"]
