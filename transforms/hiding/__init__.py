"""What is hidden in shared figures: small numbers, and numbers from which they follow."""
