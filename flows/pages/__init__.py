"""The pages: answers to questions as HTML, and the worklist."""
