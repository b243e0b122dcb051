"""Boards that several clients share: each call of a client is a turn, and turns are fair.

`device` is a board's transport on a thread of its own, `keeper` decides whose turn it is, and
`shared` puts the two together. `link` speaks with a client over a WebSocket, `routes` is the rest
of the HTTP side, and `serving` puts everything together.
"""

from __future__ import annotations

__all__: list[str] = []
