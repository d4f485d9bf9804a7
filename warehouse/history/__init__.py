"""The records' versions in time, and who is taken out of them."""
