"""The alliance: scores, shapes, agreement of raters, ceilings, goals and motivation."""
