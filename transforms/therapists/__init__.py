"""Therapists: shares, effects, funnels."""
