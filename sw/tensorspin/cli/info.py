"""The command ``tensorspin info``: a board's description of itself, its model and its errors."""

from __future__ import annotations

from ..contract.device.description import DeviceDescription
from ..driver.transports import is_virtual
from .common import URL_HELP
from .report import Line


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("url", help=URL_HELP)
    parser.set_defaults(command=_info)


def _info(options) -> int:
    from ..driver.board import Board
    from ..feasibility.describe import engine_rows, engine_values, line_text

    with Board.open(options.url) as board:
        info, status = board.info, board.status()
    build, last = info.build.hex(), _last_build(options.url, info)
    command = f"tensorspin bitstream {info.board} --program"
    other = f"; the last one built here is {last}: `{command}`"
    work = []
    if info.contractor is not None or info.spatial is not None:
        digest = f"{status.digest:08x}" if status.active else None
        work = [
            Line("model", digest, f"active, digest {digest}" if digest else "none", "digest"),
            Line("samples contracted", status.samples),
        ]
    rejected = {
        "damaged": status.damaged,
        "out_of_sequence": status.out_of_sequence,
        "overflows": status.overflows,
    }
    options.report.table(
        Line("board", info.board),
        Line("protocol version", info.protocol),
        Line("build", build, build if last in (None, build) else build + other),
        Line("clock", info.clock_hz, f"{info.clock_hz / 1e6:g} MHz", "clock_hz"),
        Line("serial line", info.baud, line_text(info), "baud"),
        *engine_rows(info),
        *work,
        Line(
            "frames rejected",
            rejected,
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in rejected.items()),
        ),
    )
    options.report.record(url=options.url, last_build=last, engines=engine_values(info))
    return 0


def _last_build(url: str, info: DeviceDescription) -> str | None:
    """Name the build of the bitstream that was last built here for a board of that kind.

    The digest of a simulated board is that of the simulation, with which nothing is compared.
    """
    if is_virtual(url):
        return None
    try:
        # The import stands here, as the host must work without the gateware package.
        from tensorspin_gateware.build.bitstream import last_build
    except ImportError:
        return None
    return last_build(info.board)
