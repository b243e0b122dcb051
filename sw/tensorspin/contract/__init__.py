"""What host and gateware must agree on, said once.

The gateware imports this package at elaboration, the host at run time. Nothing here imports
Amaranth, and nothing here imports another part of `tensorspin`.

========================  ==========================================================
`tensorspin.contract.fixed`     number formats, rounding, saturation
`tensorspin.contract.cobs`      byte stuffing
`tensorspin.contract.packets`   frames, packet types, status codes, payload layouts
`tensorspin.contract.memory`    memory spaces and byte addresses
`tensorspin.contract.program`   the node program: operands, headers, weight layout
`tensorspin.contract.device`    engine sizes and the device's description of itself
`tensorspin.contract.boards`    the sizes and clocks of the supported boards
========================  ==========================================================
"""
