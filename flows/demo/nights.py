"""The exports night by night: the versions of records in each file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

FOREVER = 1_000_000  # a day that no night reaches


@dataclass(frozen=True)
class Export:
    """The lines of an export in file order.

    A line is valid from the night after `from_day` to the night of `to_day`. An increment has whole records, by
    `record`. `reason` is the rule that a planted line breaks.
    """

    pattern: str
    header: str
    lines: pl.DataFrame
    is_whole: bool
    header_when_empty: bool = True

    def name(self, night: int) -> str:
        return (date(1970, 1, 1) + timedelta(days=night)).strftime(self.pattern)


@dataclass(frozen=True)
class Delivery:
    """One night's file."""

    name: str
    lines: pl.DataFrame

    def planted(self) -> pl.DataFrame:
        """The planted records, with their record numbers: the first line after the header is 1."""
        numbered = self.lines.select(pl.int_range(1, pl.len() + 1).alias("record"), "reason")
        return numbered.drop_nulls("reason")


def export_lines(parts: list[pl.DataFrame], line: pl.Expr) -> pl.DataFrame:
    """The lines of all parts in file order. A planted copy follows its original."""
    kept = ("record", "order", "copy", "from_day", "to_day", "reason")
    lines = pl.concat([part.select(*kept, line.alias("line")) for part in parts])
    return lines.sort("order", "copy", "from_day", maintain_order=True)


def comma_separated(columns: list[str] | tuple[str, ...]) -> pl.Expr:
    """Cells joined as one CSV line. Columns of free text must be `quoted` before."""
    return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in columns], separator=",")


def quoted(column: str) -> pl.Expr:
    """The column with quotes only where a text needs them, as REDCap writes it."""
    text = pl.col(column)
    doubled = pl.lit('"') + text.str.replace_all('"', '""', literal=True) + pl.lit('"')
    return pl.when(text.str.contains('[,"\n]')).then(doubled).otherwise(text)


def deliveries(export: Export, nights: tuple[int, ...]) -> Iterator[Delivery]:
    """The file of each night: the first has everything so far; later ones have everything again, or only changes."""
    before = None
    for night in nights:
        lines = export.lines.filter(pl.col("from_day") < night, pl.col("to_day") >= night)
        if before is not None and not export.is_whole:
            changed = lines.filter(pl.col("from_day") >= before)["record"].unique()
            lines = lines.filter(pl.col("record").is_in(changed.implode()))
        yield Delivery(export.name(night), lines)
        before = night


def save(export: Export, delivery: Delivery, folder: Path) -> None:
    header = export.header if export.header_when_empty or delivery.lines.height else ""
    delivery.lines.select(pl.col("line").alias(header)).write_csv(folder / delivery.name, quote_style="never")
