"""What a board is asked, and how it is found: ``info``, ``link-test``, ``ports``, ``udev``."""

from __future__ import annotations

from ..contract.device import DeviceDescription
from ..errors import TransportError
from ..transports import is_virtual
from .common import URL_HELP, print_table


def add(commands) -> None:
    """Add the commands' parsers to what `argparse` calls subparsers."""
    info = commands.add_parser("info", help="what a board says of itself")
    info.add_argument("url", help=URL_HELP)
    info.set_defaults(command=_info)

    link_test = commands.add_parser("link-test", help="measure the line to a board")
    link_test.add_argument("url", help=URL_HELP)
    link_test.add_argument("--seconds", type=float, default=2.0, help="time for the measurement")
    link_test.set_defaults(command=_link_test)

    ports = commands.add_parser("ports", help="list the serial ports, and guess what is behind")
    ports.set_defaults(command=_ports)
    udev = commands.add_parser("udev", help="print rules by which Linux permits the use of boards")
    udev.set_defaults(command=_udev)


def _info(options) -> int:
    from ..board import Board
    from ..describe import engine_rows

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
    """Digest of the device's bitstream, and of the one last built here if that is another."""
    digest = info.build.hex()
    here = None if is_virtual(url) else _last_build(info.board)
    if here in (None, digest):
        return digest
    return f"{digest}; the last one built here is {here}: `make program BOARD={info.board}`"


def _last_build(board: str) -> str | None:
    try:
        # Late: the host works without the gateware package.
        from tensorspin_gateware.build import last_build
    except ImportError:
        return None
    return last_build(board)


def _link_test(options) -> int:
    from ..board import Board

    with Board.open(options.url) as board:
        print(board.link_test(options.seconds))
    return 0


def _ports(options) -> int:
    from ..ports import guess_ports

    guesses = guess_ports()
    if not guesses:
        raise TransportError("no serial ports were found: is the board plugged in?")
    device, name = (max(len(getattr(each, of)) for each in guesses) for of in ("device", "name"))
    for guess in guesses:
        print(f"{guess.device:<{device}}  {guess.name:<{name}}  {guess}")
    return 0


def _udev(options) -> int:
    from ..udev import udev_rules

    print(udev_rules(), end="")
    return 0
