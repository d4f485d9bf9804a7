"""Tables computed from the records: in buckets, compared with the published ones, and the causes of changes."""
