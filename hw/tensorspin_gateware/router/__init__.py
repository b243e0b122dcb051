"""Executes requests: the rules of `tensorspin.contract.packets` between link and contractor."""

from .router import Router

__all__ = ["Router"]
