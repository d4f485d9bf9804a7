"""The alliance: scores, shapes, agreement, ceilings, goals, motivation."""
