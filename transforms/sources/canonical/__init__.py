"""Cells to Rapport's own values: ids, times, statuses, answers."""
