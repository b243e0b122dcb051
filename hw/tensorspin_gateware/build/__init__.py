"""Bitstreams: from a row of the board table to a file that is loaded into the board.

`bitstream` builds one, `all` builds all and keeps the table in the docs; `programmer` loads one.
"""
