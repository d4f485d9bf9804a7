"""The hiding of shared figures: small numbers, and numbers from which small ones can be derived."""
