"""A board behind a server (`tensorspin serve`): the link's frames, over a WebSocket.

`protocol` is what server and client agree on, `connection` the client's connection, and `transport`
what the driver sees of it.
"""

from __future__ import annotations

__all__: list[str] = []
