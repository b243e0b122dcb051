"""What host and gateware must agree on, said once.

The gateware imports this package at elaboration, the host at run time. Nothing here imports
Amaranth, and nothing here imports another part of `tensorspin`.

================ ============================================================
module           subject
================ ============================================================
`fixed`          number formats, rounding, saturation
`cobs`           byte stuffing
`packets`        frames, packet types, status codes, payload layouts
`memory`         memory spaces and byte addresses
`program`        the node program: operands, headers, weight layout
`image`          the node program as bytes of the program memory
`latency`        latencies of the contractor in clock cycles
`results`        what a contractor answers
`capabilities`   requests and memory spaces of a device
`device`         engine sizes and the device's description of itself
`boards`         the sizes and clocks of the supported boards
`annealer`       the annealer's sizes, formats, order of operations, latencies
`thresholds`     its random thresholds
`ising`          its problems and schedules
`annealer_image` both as bytes of its memories
================ ============================================================
"""
