"""The survey forms of the demo clinic's REDCap project, in the order of its codebook."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

# The rater's mean mark, in the form's range, from the alliance (0-10) and the symptoms (0-1) after the session.
Answer = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Form:
    """One questionnaire of one rater, with the sessions at which it is due and its time around a session."""

    name: str
    instrument: str
    rater: str
    prefix: str
    item_count: int
    low: int
    high: int
    timing: str
    due: pl.Expr
    answer: Answer
    noise: float
    too_much: str
    decimals: int = 0
    therapist_column: str | None = None

    @property
    def items(self) -> list[str]:
        return [f"{self.prefix}_{number}" for number in range(1, self.item_count + 1)]

    @property
    def timestamp(self) -> str:
        return f"{self.name}_timestamp"

    @property
    def complete(self) -> str:
        return f"{self.name}_complete"

    @property
    def columns(self) -> list[str]:
        therapist = [self.therapist_column] if self.therapist_column else []
        return [self.timestamp, *therapist, *self.items, self.complete]


EVERY_SESSION = pl.lit(True)
THIRD_THEN_EVERY_FOURTH = (pl.col("session_number") >= 3) & ((pl.col("session_number") - 3) % 4 == 0)
EVERY_FOURTH = (pl.col("session_number") - 1) % 4 == 0
IS_MINOR = pl.col("age_days") < 18 * 365.25
IS_ELEVEN = pl.col("age_days") >= 11 * 365.25  # the clinic gives PHQ-9 and GAD-7 from eleven


def session_rating(alliance: np.ndarray, _: np.ndarray) -> np.ndarray:
    return alliance + 0.4


def wellbeing(_: np.ndarray, severity: np.ndarray) -> np.ndarray:
    return 9.3 * (1 - severity)


def working_alliance(alliance: np.ndarray, _: np.ndarray) -> np.ndarray:
    return 1 + 4 * (alliance - 2.5) / 7.5


def therapists_view(alliance: np.ndarray, _: np.ndarray) -> np.ndarray:
    """The therapist's mark: lower than the client's, and with smaller changes."""
    return 1 + 4 * (0.8 * alliance - 1.6) / 7.5


def frequency(_: np.ndarray, severity: np.ndarray) -> np.ndarray:
    return 3.2 * severity - 0.2


SRS = Form("srs", "srs", "client", "srs", 4, 0, 10, "end", EVERY_SESSION, session_rating, 0.6, "83", decimals=1)
ORS = replace(SRS, name="ors", instrument="ors", prefix="ors", timing="start", answer=wellbeing, noise=0.9)
WAI_SR = Form(
    "wai_sr",
    "wai_sr",
    "client",
    "wai",
    item_count=12,
    low=1,
    high=5,
    timing="after",
    due=THIRD_THEN_EVERY_FOURTH,
    answer=working_alliance,
    noise=0.7,
    too_much="7",
)
WAI_SR_CAREGIVER = replace(
    WAI_SR,
    name="wai_sr_caregiver",
    rater="caregiver",
    prefix="waic",
    timing="evening",
    due=THIRD_THEN_EVERY_FOURTH & IS_MINOR,
    noise=0.9,
)
WAI_SR_THERAPIST = replace(
    WAI_SR,
    name="wai_sr_therapist",
    rater="therapist",
    prefix="wait",
    timing="evening",
    answer=therapists_view,
    therapist_column="wait_therapist",
)
PHQ9 = Form("phq9", "phq9", "client", "phq9", 9, 0, 3, "near", EVERY_FOURTH & IS_ELEVEN, frequency, 0.7, "9")
GAD7 = replace(PHQ9, name="gad7", instrument="gad7", prefix="gad7", item_count=7)
FORMS = (SRS, ORS, WAI_SR, WAI_SR_CAREGIVER, WAI_SR_THERAPIST, PHQ9, GAD7)
