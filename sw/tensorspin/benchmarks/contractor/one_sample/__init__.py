"""One sample's latency beside throughput: every board and mode, and what competes with them.

`boards` models each board from exact cycles and bytes. `compiled` measures the contraction in C on
this computer, `exchanged` models of scikit-learn in ONNX Runtime, and `counted` reads what
microcontrollers take. `rows` puts them together, `tables` and `picture` show them, and `command` is
the suite ``latency`` of ``make bench``.
"""
