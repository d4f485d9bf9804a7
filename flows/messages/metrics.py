"""A file of metrics for a textfile collector of Prometheus: `metrics = "FILE.prom"` in the clinic file.

It is written after every night, also after a failed one. The exit status is that of the night; the other numbers are
those of the published load.
"""

from __future__ import annotations

from pathlib import Path

from rapport.warehouse.clinic_file.monitoring import read_monitoring
from rapport.warehouse.errors import RapportError
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.published.monitored_numbers import Sample, samples_of

HELP = {
    "rapport_night_exit_status": "The exit status of the last night, as RUNBOOK.md says.",
    "rapport_published_timestamp_seconds": "When the newest load was published.",
    "rapport_data_timestamp_seconds": "The latest export in the newest load.",
    "rapport_load": "The number of the newest load.",
    "rapport_night_seconds": "How long each step of the newest load took, up to its publication.",
    "rapport_records": "Records of the files that the newest load read, by where they went.",
    "rapport_waiting_rows": "Rows that wait in quarantine.",
    "rapport_source_late": "1 where the latest export of a source was overdue in the newest load.",
    "rapport_file_bytes": "The size of a published file.",
}


def write_metrics(clinic: Path, warehouse: Path, status: int) -> str | None:
    """Write a clinic's metrics, if its file names a place for them. Return a sentence where that failed, or None."""
    declared = read_monitoring(clinic)
    if declared.metrics is None:
        return None
    samples, wrong = _samples(Folders(warehouse), status)
    waiting = declared.metrics.with_name(f".{declared.metrics.name}.new")
    try:
        waiting.write_text(text_of(samples, declared.name), encoding="utf-8")
        waiting.chmod(0o644)  # independent of the umask: the collector is another user
        waiting.replace(declared.metrics)
    except OSError as error:
        return f"the metrics could not be written ({error.strerror}); check metrics in the clinic file"
    return wrong


def _samples(where: Folders, status: int) -> tuple[list[Sample], str | None]:
    """The available numbers, and a sentence where some are missing."""
    samples = [Sample("rapport_night_exit_status", {}, status)]
    files = {"analysts": where.published, "safe": where.safe}
    samples += [
        Sample("rapport_file_bytes", {"file": name}, path.stat().st_size)
        for name, path in files.items()
        if path.exists()
    ]
    try:
        return samples + (samples_of(where.published) if where.published.exists() else []), None
    except RapportError as error:
        return samples, f"the metrics hold the exit status alone: {error}"
    except Exception as error:
        return samples, f"the metrics hold the exit status alone ({type(error).__name__} in the published file)"


def text_of(samples: list[Sample], clinic: str) -> str:
    """The numbers in Prometheus' text format."""
    lines = []
    for metric, meaning in HELP.items():
        of_it = [sample for sample in samples if sample.metric == metric]
        if of_it:
            lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} gauge"]
        lines += [f"{metric}{{{_labels({'clinic': clinic, **sample.labels})}}} {sample.value}" for sample in of_it]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: dict[str, str]) -> str:
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return ",".join(f'{name}="{value.translate(escapes)}"' for name, value in labels.items())
