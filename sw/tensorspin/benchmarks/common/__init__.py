"""What the benchmarks of both engines share.

`command` has the options that both commands take. `machine` describes the computer, `timing` times
short calls, and `scripts` runs other libraries in processes of their own. `report`, `markdown` and
`panels` write a report as JSON, tables and pictures.
"""
