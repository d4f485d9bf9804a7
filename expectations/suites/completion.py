"""Table completion: a complete response is received, and a received one was due."""

from rapport.expectations.rules import never

SUITE = [
    never("complete is received, received was due", "complete_count > received_count OR received_count > due_count"),
]
