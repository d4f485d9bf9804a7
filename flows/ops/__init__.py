"""The commands of operators, beside the night."""
