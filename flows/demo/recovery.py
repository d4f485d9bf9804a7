"""python -m rapport.flows.demo.recovery: do the metrics find the planted effects of simulated clinics, and no others?

Every seed is a clinic of its own, simulated twice: with the effects of flows.demo.course.PLANTED, and without. The
tables are computed by the night's own functions from record frames (flows.demo.simulated)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl
from rich.console import Console
from rich.table import Table as Grid

from rapport.flows.demo.course import NOTHING, PLANTED, Planted
from rapport.flows.demo.simulated import Simulated, simulated, tables_of

SEEDS, CLIENTS, THERAPISTS = 20, 240, 12
ENOUGH = 0.8  # of the seeds: 16 of 20
Z_90 = 1.645
TABLES = ("alliance_outcome_links", "responsiveness_links", "therapist_effects", "therapist_variances", "ruptures")


@dataclass(frozen=True)
class Found:
    """The tables of one simulated clinic, with its true effects."""

    truth: Planted
    clinic: Simulated
    tables: dict[str, pl.DataFrame]

    def link(self, link: str, model: str) -> tuple[float, float]:
        """Estimate and standard error of a within-person link, in percent of maximum per percent of maximum."""
        links = self.tables["alliance_outcome_links"].filter(link=link, model=model)
        return links.select("estimate", "standard_error").row(0)

    @property
    def staying(self) -> tuple[float, float]:
        """Log-odds of more than four sessions per 10 percent of maximum of early responsiveness, and standard error."""
        links = self.tables["responsiveness_links"].filter(predictor="responsiveness_proxy", staying="more_than_four")
        return links.select("estimate", "standard_error").row(0)

    @property
    def variance_share(self) -> tuple[float, float]:
        """The therapists' share of the variance of early alliance, and the lower end of its interval. The end is null
        where the interval has no width, at 0."""
        shares = self.tables["therapist_variances"].filter(measure="early_alliance")
        return shares.select("variance_share", "low_share").row(0)

    @property
    def therapist_errors(self) -> tuple[float, float]:
        """Root mean squared error of raw and of shrunken effects on early alliance, in percent of maximum. An effect
        without an estimate counts as 0: no difference from the clinic."""
        shown = self.tables["therapist_effects"].filter(measure="early_alliance")
        shown = shown.with_columns(pl.col("shrunken_effect").fill_null(0.0))
        met = shown.join(self.clinic.therapist_effects, on="therapist_id")
        true = 10 * (pl.col("true_effect") - pl.col("true_effect").mean())
        return met.select(
            *((pl.col(name) - true).pow(2).mean().sqrt() for name in ("raw_effect", "shrunken_effect"))
        ).row(0)


def found(seed: int, truth: Planted, clients: int = CLIENTS) -> Found:
    """Simulate one clinic, and compute its tables."""
    clinic = simulated(seed, truth, clients, THERAPISTS)
    return Found(truth, clinic, tables_of(clinic, TABLES))


def holds(estimated: tuple[float | None, float | None], truth: float) -> bool:
    """Whether the 90 % interval contains the true effect; False without an estimate."""
    estimate, error = estimated
    return estimate is not None and error is not None and abs(estimate - truth) <= Z_90 * error


@dataclass(frozen=True)
class Line:
    """One line of the report: a claim, its true effect, the mean estimate, and how many seeds kept the claim."""

    what: str
    truth: float
    mean: float
    kept: int
    seeds: int
    is_required: bool = True

    @property
    def is_kept(self) -> bool:
        return self.kept >= ENOUGH * self.seeds or not self.is_required


MODELS = ("lagged", "lagged_detrended", "change_detrended")


def lines(planted: list[Found], nothing: list[Found]) -> list[Line]:
    """Every claim about the effects, over the seeds. The detrended models must keep their claims; the plain lagged one
    is shown for comparison."""
    made = []
    for clinics, name in ((planted, "planted"), (nothing, "none")):
        effect = 10 * clinics[0].truth.alliance_on_symptoms  # percent of maximum on percent of maximum
        for model in MODELS:
            estimates = [each.link("alliance_to_outcome", model) for each in clinics]
            made.append(_line(f"{name}: alliance to next symptoms, {model}", effect, estimates, model != "lagged"))
        back = [each.link("outcome_to_alliance", "lagged_detrended") for each in clinics]
        made.append(_line(f"{name}: symptoms to next alliance, lagged_detrended", 0.0, back, name == "none"))
        log_odds = clinics[0].truth.responsiveness_on_staying
        made.append(_line(f"{name}: early responsiveness to staying", log_odds, [each.staying for each in clinics]))
    return [*made, *_therapist_lines(planted, nothing)]


def _line(
    what: str, truth: float, estimates: Sequence[tuple[float | None, float | None]], is_required: bool = True
) -> Line:
    known = [estimate for estimate, _ in estimates if estimate is not None]
    mean = sum(known) / len(known) if known else float("nan")
    return Line(what, truth, mean, sum(holds(each, truth) for each in estimates), len(estimates), is_required)


def _therapist_lines(planted: list[Found], nothing: list[Found]) -> list[Line]:
    errors = [each.therapist_errors for each in planted]
    raw, shrunken = (sum(pair[at] for pair in errors) / len(errors) for at in (0, 1))
    better = sum(shrunken <= raw for raw, shrunken in errors)
    shares = [each.variance_share for each in nothing]
    mean, none = sum(share for share, _ in shares) / len(shares), sum(not low for _, low in shares)
    return [
        Line(
            "planted: shrunken therapist effects err less than raw (RMSE: raw, shrunken)",
            raw,
            shrunken,
            better,
            len(errors),
        ),
        Line("none: the interval of the therapists' share of variance reaches 0", 0.0, mean, none, len(shares)),
    ]


def rupture_rates(clinics: Iterable[Found]) -> pl.DataFrame:
    """Per rule: the numbers of planted and of possible ruptures, the recall, and the share of false alarms.

    The recall is the share of planted ruptures that a possible one overlaps. A false alarm is a possible rupture that
    overlaps no planted one."""
    parts = [_overlaps(each) for each in clinics]
    planted = sum(count for count, _, _ in parts)
    hits = pl.concat([hit for _, hit, _ in parts]).group_by("rupture_rule").agg(found=pl.len())
    alarms = pl.concat([alarm for _, _, alarm in parts]).group_by("rupture_rule")
    rates = alarms.agg(possible_count=pl.len(), false_alarm_share=(~pl.col("is_true")).mean())
    return (
        rates.join(hits, on="rupture_rule", how="left")
        .with_columns(planted_count=pl.lit(planted), recall_share=pl.col("found").fill_null(0) / planted)
        .select("rupture_rule", "planted_count", "possible_count", "recall_share", "false_alarm_share")
        .sort("rupture_rule")
    )


def _overlaps(each: Found) -> tuple[int, pl.DataFrame, pl.DataFrame]:
    """The number of planted ruptures; the rules that found each; and each possible rupture, true or not."""
    order = each.clinic.sessions.with_row_index("at")
    runs = _runs(order)
    possible = each.tables["ruptures"].select("rupture_rule", "client_id", "start_session_id", "repair_session_id")
    placed = (
        possible.with_row_index("rupture")
        .join(order.select("at", start_session_id="session_id"), on="start_session_id")
        .join(order.select(repaired="at", repair_session_id="session_id"), on="repair_session_id", how="left")
    )
    met = placed.join(runs, on="client_id").filter(
        (pl.col("at") <= pl.col("last")) & (pl.col("repaired").is_null() | (pl.col("repaired") > pl.col("first")))
    )
    hits = met.select("rupture_rule", "first").unique()
    true = met.select("rupture").unique().with_columns(is_true=pl.lit(True))
    alarms = placed.select("rupture", "rupture_rule").join(true, on="rupture", how="left")
    return runs.height, hits, alarms.select("rupture_rule", pl.col("is_true").fill_null(False))


def _runs(order: pl.DataFrame) -> pl.DataFrame:
    """Each planted rupture: client_id, and its first and last session in the order of `order`."""
    whole = ~pl.col("is_ruptured").shift(fill_value=False).over("client_id")
    begins = pl.col("is_ruptured") & whole
    numbered = order.with_columns(run=begins.cum_sum().over("client_id")).filter("is_ruptured")
    return numbered.group_by("client_id", "run").agg(first=pl.col("at").min(), last=pl.col("at").max())


def main() -> None:
    parser = argparse.ArgumentParser(description="Do the metrics find what is planted?")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"clinics of each kind (default: {SEEDS})")
    seeds, console = range(parser.parse_args().seeds), Console(width=120)
    with console.status("simulating"):
        planted = [found(seed, PLANTED) for seed in seeds]
        nothing = [found(seed, NOTHING) for seed in seeds]
    _print_report(console, lines(planted, nothing), rupture_rates(planted))


def _print_report(console: Console, claims: list[Line], ruptures: pl.DataFrame) -> None:
    grid = Grid(box=None, pad_edge=False)
    for column in ("claim", "truth", "mean", "seeds"):
        grid.add_column(column, justify="left" if column == "claim" else "right")
    for line in claims:
        mark = "" if line.is_kept else "  (too few)"
        asked = f"{line.kept} of {line.seeds}{mark}" if line.is_required else f"({line.kept} of {line.seeds})"
        grid.add_row(line.what, f"{line.truth:.3f}", f"{line.mean:.3f}", asked)
    console.print(grid, "")
    grid = Grid(box=None, pad_edge=False)
    for column in ("rule of possible ruptures", "planted", "possible", "recall", "false alarms"):
        grid.add_column(column, justify="left" if column.startswith("rule") else "right")
    for rule, planted, possible, recall, false in ruptures.iter_rows():
        grid.add_row(rule, f"{planted:,}", f"{possible:,}", f"{recall:.0%}", f"{false:.0%}")
    console.print(grid)


if __name__ == "__main__":
    main()
