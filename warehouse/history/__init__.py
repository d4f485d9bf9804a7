"""The records' versions in time, and the erasure of people."""
