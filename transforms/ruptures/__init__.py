"""Ruptures and repairs of the alliance."""
