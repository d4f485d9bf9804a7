"""Prefect lives only here: what runs, when, in which order, and what happens when it fails."""

import os

# Before polars is imported. On two cores a second thread of it makes no night shorter, and costs a sixth more processor
# time (measured at size M); the environment wins, for a machine with many.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# Between products as small as ours the threads of numpy's linear algebra turn idly: a seventh of alliance_outcome_links
# (measured at size M).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Memory that polars frees is kept for three seconds and used again, by all its threads: returned to the system at once
# and fetched anew, every page is cleared each time, a tenth of a night (measured at size M, with a lower peak).
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:3000,muzzy_decay_ms:0")

if __name__ == "flows":  # and not rapport.flows: it was asked for by a name of before 0.2
    from rapport.flows.old_names import answer_to_old_names

    answer_to_old_names()
