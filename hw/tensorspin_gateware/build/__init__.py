"""Bitstreams: from a row of the board table to a file that is loaded into the board.

=============== ====================================================================
module          job
=============== ====================================================================
`top`           the design: top-level component, and the plan of its build
`bitstream`     builds one bitstream, or takes it from the cache (a command)
`stages`        runs the tools of a plan one by one
`toolchain`     finds the tools
`plain`         folders and links with paths that compilers can take
`cache`         keys of builds, and where they are kept; also of simulators
`report`        resources and timing, as nextpnr reports them
`programmer`    loads a bitstream into a board
`all`           builds all bitstreams and keeps the table in ``docs`` (a command)
`records`       the record of a build, and how two are compared
`record_files`  reads and writes the records of all boards, and their tables
`parts`         which part of a design takes how many logic cells
=============== ====================================================================
"""
