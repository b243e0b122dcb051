"""The appliance: a sampler of quantum circuits, shared over HTTPS.

`device` is what circuits run on, `examine` says which programs may come, `compiling` is the process
that reads them and `compiler` its owner, `jobs` holds what is asked for and `service` runs it one
after the other; `routes` is the HTTP side, and `serving` puts everything together.
"""

from __future__ import annotations

__all__: list[str] = []
