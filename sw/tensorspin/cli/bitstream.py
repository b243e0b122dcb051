"""The command ``tensorspin bitstream``: build a board's bitstream, and load it into the board."""

from __future__ import annotations

import logging
from pathlib import Path

from ..compiler.locking import read_lock_key
from ..errors import TensorspinError
from .report import Line

_logger = logging.getLogger(__name__)


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("board", help="name of a board, such as icebreaker")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="existing folder to copy the bitstream to; by default it stays where it is built: in "
        "the folder build of a checkout, or in your cache",
    )
    parser.add_argument(
        "--program",
        action="store_true",
        help="load the bitstream into the board, with the board's own programmer",
    )
    parser.add_argument(
        "--lock",
        type=Path,
        metavar="FILE",
        help="lock the board with the key in this file (tensorspin lock --new-key): it runs only "
        "programs that were approved with it",
    )
    parser.set_defaults(command=_bitstream)


def _bitstream(options) -> int:
    try:
        # The import stands here, as the host must work without the gateware package.
        from tensorspin_gateware.build import bitstream, keyed
    except ImportError as error:
        raise TensorspinError(
            f"bitstreams need the gateware and its tools ({error}); in tensorspin's checkout, run "
            f"`make setup` or `pip install '.[gateware]'`; without one, "
            f"`pip install 'WHEEL[gateware]'`, where WHEEL is the file of its wheel"
        ) from error
    name, report = options.board, options.report
    try:
        bitstream.check_request(name, options.program, options.output)
        key = None
        if options.lock is not None:
            keyed.check_lockable(name)
            key = read_lock_key(options.lock)  # before the minutes that a build takes
        path, found = bitstream.build(name, _logger.info, locked=key is not None)
        parts = bitstream.budget(path, found)
        report.say(str(found) if parts is None else f"{found}\n{parts}")
        report.record(
            board=name,
            build=bitstream.build_record(path).build,
            resources={title: {"used": u, "available": a} for title, (u, a) in found.used.items()},
            cells_by_part=None if parts is None else parts.cells,
            greatest_clock_hz=found.achieved_mhz * 1e6,
            clock_hz=found.required_mhz * 1e6,
        )
        if key is not None:
            keyed.check_room(name, found)
            path = keyed.put_key(path, name, key, options.output, _logger.info)
            report.record(key=key.name, minimum_version=key.minimum)
        delivered = bitstream.deliver(
            name, path, found, options.program, None if key else options.output, _logger.info
        )
    except RuntimeError as error:  # A tool is missing or failed, or the clock is not met.
        raise TensorspinError(str(error)) from error
    report.table(Line("bitstream", delivered.absolute(), key="path"))
    return 0
