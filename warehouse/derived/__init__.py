"""Tables derived from the records: computed in buckets, compared, and why they moved."""
