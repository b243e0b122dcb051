"""What the benchmarks of both engines share.

`machine` describes the computer, `timing` times short calls, `scripts` runs other libraries in
processes of their own; `report`, `markdown` and `panels` write JSON, tables and pictures.
"""
