"""Engagement: completion, dropout, retention, responsiveness."""
