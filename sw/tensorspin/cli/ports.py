"""The command ``tensorspin ports``: list serial ports, with a guess of what is connected."""

from __future__ import annotations

from ..errors import TransportError


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    ports = commands.add_parser(
        "ports", help="list the serial ports, and guess which board each belongs to"
    )
    ports.set_defaults(command=_ports)


def _ports(options) -> int:
    from ..driver.usb.ports import guess_ports

    guesses = guess_ports()
    if not guesses:
        raise TransportError("no serial ports were found: is the board plugged in?")
    device, name = (max(len(getattr(each, of)) for each in guesses) for of in ("device", "name"))
    for guess in guesses:
        options.report.say(f"{guess.device:<{device}}  {guess.name:<{name}}  {guess}")
    options.report.record(
        ports=[
            {
                "device": guess.device,
                "name": guess.name,
                "boards": [board.name for board in guess.boards],
                "certain": guess.certain,
                "uart": guess.uart,
                "adapter": guess.adapter,
                "guess": str(guess),
            }
            for guess in guesses
        ]
    )
    return 0
