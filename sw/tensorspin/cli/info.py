"""The command ``tensorspin info``: a board's description of itself, its model and its errors."""

from __future__ import annotations

from ..contract.device.description import DeviceDescription
from ..driver.transports import is_virtual
from .common import URL_HELP, print_table


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    info = commands.add_parser(
        "info", help="show a board's engines, clock and build, and the model that it holds"
    )
    info.add_argument("url", help=URL_HELP)
    info.set_defaults(command=_info)


def _info(options) -> int:
    from ..driver.board import Board
    from ..feasibility.describe import engine_rows

    with Board.open(options.url) as board:
        info, status = board.info, board.status()
    work = []
    if info.contractor is not None:
        model = f"active, digest {status.digest:08x}" if status.active else "none"
        work = [("model", model), ("samples contracted", status.samples)]
    print_table(
        ("board", info.board),
        ("protocol version", info.protocol),
        ("build", _build(options.url, info)),
        ("clock", f"{info.clock_hz / 1e6:g} MHz"),
        ("serial line", f"{info.baud} baud"),
        *engine_rows(info),
        *work,
        (
            "frames rejected",
            f"{status.damaged} damaged, {status.out_of_sequence} out of sequence, "
            f"{status.overflows} overflows",
        ),
    )
    return 0


def _build(url: str, info: DeviceDescription) -> str:
    """Name the build of the device's bitstream, and the one last built here if it is another.

    The digest of a simulated board is that of the simulation, so nothing is compared there.
    """
    digest = info.build.hex()
    here = None if is_virtual(url) else _last_build(info.board)
    if here in (None, digest):
        return digest
    return f"{digest}; the last one built here is {here}: `make program BOARD={info.board}`"


def _last_build(board: str) -> str | None:
    try:
        # The import stands here, as the host must work without the gateware package.
        from tensorspin_gateware.build.bitstream import last_build
    except ImportError:
        return None
    return last_build(board)
