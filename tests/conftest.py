"""Settings that all tests share."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run: a failure that one person sees, everybody sees.
settings.register_profile("tensorspin", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("tensorspin")
