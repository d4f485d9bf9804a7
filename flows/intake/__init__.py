"""What a night finds about its exports: their order, columns, ranges, shares held back, and what was not read."""
