"""How much many boards compute, and where the scheduler becomes the limit: ``make bench-pool``.

`virtual` measures virtual boards on this computer; `modelled` gives the real schedulers boards that
only wait as long as a board and its line would take.
"""
