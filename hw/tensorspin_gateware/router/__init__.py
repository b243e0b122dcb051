"""Executes requests: the rules of `tensorspin.contract.wire.packets` between link and
contractor."""

from .router import Router

__all__ = ["Router"]
