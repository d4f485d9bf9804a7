"""Outcomes: progress, expected courses, reliable changes."""
