"""Prefect lives only here: what runs, when, in which order, and what happens when it fails."""
