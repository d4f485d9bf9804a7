"""The therapist's responsiveness in the first two sessions, beside how the client took to the therapy."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table

FACTORS = {
    "positive_atmosphere": "Positive therapeutic atmosphere, observed; predicted staying and the client's view.",
    "attentiveness": "Therapist attentiveness, observed; predicted neither.",
    "early_empathic_responding": "Early empathic responding, observed; predicted neither.",
    "negative_behaviour": "Negative therapist behaviour, observed (higher is worse); predicted early termination.",
    "global_responsiveness": "The global responsiveness item, observed; predicted staying and the client's view.",
}


@table(
    key="episode_id",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        *(
            Column(name, "number", f"{text} Mean of sessions 1 and 2, null unless both are rated.")
            for name, text in FACTORS.items()
        ),
        Column(
            "observed_session_count",
            "integer",
            "Of sessions 1 and 2, those that an observer rated.",
            required=True,
            between=(0, 2),
        ),
        Column(
            "responsiveness_proxy",
            "number",
            "A PROXY, the client's own view and not Elkin's measure: mean over sessions 1 and 2 of the percent of maximum "
            "of the SRS lines relationship and approach; where there is no SRS, of the Barrett-Lennard empathic "
            "understanding, else of the PEAR total. Null unless both sessions are rated.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column("proxy_instrument", "text", "The questionnaire that the proxy is taken from."),
        Column(
            "proxy_session_count",
            "integer",
            "Of sessions 1 and 2, those with that questionnaire.",
            required=True,
            between=(0, 2),
        ),
        Column(
            "relationship_after_second",
            "number",
            "Outcome 1: the client's own view of the alliance at session 2, total, percent of maximum.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column("relationship_instrument", "text", "The questionnaire of that view: the first by name of those rated."),
        Column(
            "attended_session_count",
            "integer",
            "Treatment sessions attended in the episode so far.",
            required=True,
            between=(1, None),
        ),
        Column(
            "is_past_four",
            "truth",
            "Outcome 2: true from the fifth session on. Null before: whether it can still happen is a question about "
            "today (table retention), and so is outcome 3, leaving early.",
        ),
    ],
)
def responsiveness(
    sessions: pl.LazyFrame,
    scores: pl.LazyFrame,
    alliance: pl.LazyFrame,
    responses: pl.LazyFrame,
    response_records: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode with a treatment session: Elkin's four factors and the global item, as observers rated sessions
    1 and 2 from tape, and never a later session (Elkin et al. 2014, Psychother Res 24:52-66). Factor scores are as
    given: their range is not in the abstract. Only positive atmosphere and the global item predicted the client's view
    after session 2 and staying more than four sessions. therapist_id is null where sessions 1 and 2 had two."""
    return nothing(responsiveness, sessions)
