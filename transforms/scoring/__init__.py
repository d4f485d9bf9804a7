"""Answers to scores."""
