"""The live page: what boards do, in a browser.

`digits`, `anneals` and `tasks` compute what the page shows, on shared boards, in turn with all
other clients; `boards` holds these boards open; `routes` is the HTTP side. The page itself is
``page.html``, ``page.css`` and ``page.js``.
"""

from __future__ import annotations

__all__: list[str] = []
