"""The host's side of a board: load and run programs, anneal problems, recover from losses.

`board` is what users hold, on the open `connection`. It has a driver for each engine (`contractor`,
`annealer`; `engine` is what they have in common), which asks
the device through `link` over one of the `transports`. `usb` finds boards among the serial ports.
"""
