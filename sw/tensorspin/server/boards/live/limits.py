"""What the live page may ask for; what it takes to answer is imported when it first asks."""

from __future__ import annotations

SIDE = 8
"""Height and width of a drawing in pixels."""

INK = 16
"""Most ink of a pixel."""

SIZES = {"graph": (6, 60), "knapsack": (4, 20)}
"""Fewest and most nodes of a graph, and items for a knapsack."""

DEADLINES = (1e-4, 100.0)
"""Least and greatest deadline in seconds."""
