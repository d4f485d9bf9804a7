"""The pipeline: what runs, when, in which order, and what happens after a failure. Prefect is used only here."""

import os

# Set before polars is imported. On two cores, a second polars thread does not shorten a night. It costs a sixth more
# processor time (measured at size M). A machine with many cores can set the variable in its environment.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# The matrices are small. Between their products, numpy's threads wait busily: that costs a seventh of the processor
# time of alliance_outcome_links (measured at size M).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Memory that polars frees is kept for three seconds, so that all its threads can use it again. Without this, the system
# clears every memory page each time: a tenth of a night (measured at size M, with a lower peak).
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:3000,muzzy_decay_ms:0")

if __name__ == "flows":  # not rapport.flows: the import uses a name from before version 0.2
    from rapport.flows.old_names import answer_to_old_names

    answer_to_old_names()
