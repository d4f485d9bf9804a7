"""The reference pages that Rapport writes about itself."""
