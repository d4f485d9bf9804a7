"""Speed, beside the main road: columns cast whole, and lines that the last export held too."""
