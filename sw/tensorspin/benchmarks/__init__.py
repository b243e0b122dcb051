"""Measurements: ``make bench`` (`contractor`) and ``make bench-annealer`` (`annealer`)."""
