"""The command ``tensorspin ports``: list serial and SPI ports, and guess what is connected."""

from __future__ import annotations

from ..errors import TransportError


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.set_defaults(command=_ports)


def _ports(options) -> int:
    from ..driver.transports.linux_spi import spi_ports
    from ..driver.usb.ports import guess_ports

    guesses, spi = guess_ports(), spi_ports()
    if not guesses and not spi:
        raise TransportError("no serial ports were found: is the board plugged in?")
    device, name = (
        max((len(getattr(each, of)) for each in guesses), default=0) for of in ("device", "name")
    )
    for guess in guesses:
        options.report.say(f"{guess.device:<{device}}  {guess.name:<{name}}  {guess}")
    for port in spi:
        options.report.say(f"{port}  an SPI port, for boards whose name ends in _spi")
    options.report.record(
        spi_ports=spi,
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
        ],
    )
    return 0
