"""Speed: columns that are cast at once, and lines that the last export had too."""
