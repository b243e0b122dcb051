"""A real browser for the live page: Chromium of the distribution, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
from importlib.util import find_spec

_NAMES = ("chromium", "chromium-browser", "google-chrome")

_QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Options with which Chromium asks no other host than the page's."""


def path():
    """Where Chromium is; None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def missing():
    """Why there is no browser; empty if there is one."""
    if find_spec("playwright") is None:
        return "playwright is not installed: pip install playwright"
    if path() is None:
        return "there is no Chromium: apt install chromium"
    return ""


@contextlib.contextmanager
def opened():
    """Open the browser."""
    from playwright.sync_api import sync_playwright

    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
