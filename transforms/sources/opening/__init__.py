"""Opening an export: its kind, its header, its records."""
