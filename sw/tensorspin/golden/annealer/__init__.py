"""The annealer in NumPy, flip by flip and cycle for cycle.

`metropolis` is the engine, `thresholds` its random numbers, `memories` what it holds as a device.
"""
