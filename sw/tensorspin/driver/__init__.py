"""The host's side of a board: load and run programs, anneal problems, recover from losses.

`board` is what users hold. It has a driver for each engine (`contractor`, `annealer`), which ask
the device through `link` over one of the `transports`. `usb` finds boards among the serial ports.
"""
