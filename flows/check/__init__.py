"""The check of exports before a night: every file, every problem, and the key that mends it."""
