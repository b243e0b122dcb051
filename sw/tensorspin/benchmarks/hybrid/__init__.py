"""What a hybrid detector does when its processor is late, gone, noisy or wrong, on real TLS.

``python -m tensorspin.benchmarks.hybrid`` measures, ``... .hybrid.demo`` shows; both need the
extras ``quantum``, ``appliance`` and ``hybrid``, and no network.
"""

from __future__ import annotations
