"""The commands of ops beside the night."""
