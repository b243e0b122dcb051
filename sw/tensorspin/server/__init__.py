"""Servers that share devices of one machine with others over HTTPS.

What any such server needs is in this folder: `tokens`, `tls`, `gate` (who may ask, and how much),
`turns` (a queue with fair turns), `metrics`, `logs`, and `listener` (run and stop). `appliance` is
what shares a sampler of quantum circuits.

The libraries of the extra ``appliance`` are imported when a server is made.
"""

from __future__ import annotations

__all__: list[str] = []
