"""The clinic file: its sections and keys, declared and read."""
