"""Pictures of the live page: ``python -m tests.support.live_pictures FOLDER``.

Takes the whole page, on a desktop's and a phone's width, light and dark, to be looked at; with
``--docs`` only docs/live.png, its upper half.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import expect

from . import browser
from .servers import ROOT, RunningBoards

WIDTHS = {"desktop": 1100, "phone": 375}
PATIENCE = 60_000
"""Milliseconds that the server has to train and to anneal."""


def busy_page(opened, url, width, scheme, kind="graph"):
    """Open the page, and let it show something of everything."""
    page = opened.new_page(viewport={"width": width, "height": 1180}, color_scheme=scheme)
    page.goto(url)
    page.get_by_role("button", name="Example").click()
    expect(page.locator("#digit-answer")).to_contain_text("says", timeout=PATIENCE)
    page.locator(f'input[value="{kind}"]').check()
    page.get_by_role("button", name="Anneal").click()
    expect(page.locator("#anneal-answer")).to_contain_text("Done", timeout=PATIENCE)
    expect(page.locator("#verdict")).not_to_be_empty(timeout=PATIENCE)
    expect(page.locator("#status tr")).not_to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    return page


def main():
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    boards = ("golden://icebreaker", "golden://icebreaker_annealer")
    with tempfile.TemporaryDirectory() as folder, browser.opened() as opened:
        server = RunningBoards(Path(folder), boards=boards, clear=True)
        try:
            if options.docs:
                page = busy_page(opened, server.url, WIDTHS["desktop"], "light")
                ends = page.locator("#annealer").bounding_box()
                clip = {"x": 0, "y": 0, "width": WIDTHS["desktop"]}
                clip["height"] = ends["y"] + ends["height"] + 16
                page.screenshot(path=ROOT / "docs" / "live.png", full_page=True, clip=clip)
                return
            for name, width in WIDTHS.items():
                for scheme in ("light", "dark"):
                    page = busy_page(opened, server.url, width, scheme, "knapsack")
                    page.screenshot(path=options.folder / f"{name}_{scheme}.png", full_page=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
