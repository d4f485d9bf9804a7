"""Prefect lives only here: what runs, when, in which order, and what happens when it fails."""

import os

# Before polars is imported. On two cores a second thread of it makes no night shorter, and costs a sixth more processor
# time (measured at size M); the environment wins, for a machine with many.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
