"""Associations of the alliance with outcomes, motivation and responsiveness."""
