"""Draw how a board with SPI is wired to its controller: the pictures of docs/coprocessor.md.

The pins of the board are those of the table of boards, so that a picture can't show others. The
checkout keeps the pictures; ``python -m tensorspin_gateware.build.wiring`` draws them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ..boards import HARDWARE
from ..pins import SPIPins

SIGNALS = {
    "cs": ("CS#", True),
    "copi": ("COPI", True),
    "cipo": ("CIPO", False),
    "sck": ("SCK", True),
    "irq": ("IRQ", False),
}
"""Name of each signal, and whether the controller drives it."""

_COLOURS = {
    "cs": "#6b4fa0",
    "copi": "#2f6db3",
    "cipo": "#2b8a57",
    "sck": "#c98a2b",
    "irq": "#b5443c",
    "ground": "#333333",
}

_STEP = 40
"""Pixels from a wire to the next."""


@dataclass(frozen=True)
class Picture:
    """A board, a controller, and how the controller's pins are called.

    Parameters
    ----------
    board : str
        Name of the board's row.
    title : str
        Name of the board and of the connector.
    pin : str
        What stands before the number of a pin of that connector.
    ground : str
        The board's ground.
    controller : str
        Name of the controller.
    pins : mapping of str to str
        The controller's pin for each of `SIGNALS`, and for ``ground``.
    """

    board: str
    title: str
    pin: str
    ground: str
    controller: str
    pins: Mapping[str, str]

    @property
    def wires(self) -> SPIPins:
        """Pins of the board's row."""
        pins = HARDWARE[self.board].spi
        assert pins is not None
        return pins


PICTURES = {
    "wiring_pico.svg": Picture(
        board="icebreaker_spi",
        title="iCEBreaker, PMOD 1A",
        pin="pin ",
        ground="pin 5 GND",
        controller="Raspberry Pi Pico",
        pins={
            "cs": "GP17 (pin 22)",
            "copi": "GP19 SPI0 TX (pin 25)",
            "cipo": "GP16 SPI0 RX (pin 21)",
            "sck": "GP18 SPI0 SCK (pin 24)",
            "irq": "GP20 (pin 26)",
            "ground": "GND (pin 23)",
        },
    ),
    "wiring_raspberry_pi.svg": Picture(
        board="icepi_zero_spi",
        title="Icepi Zero, header",
        pin="GPIO ",
        ground="GND (pin 20)",
        controller="Raspberry Pi, header",
        pins={
            "cs": "GPIO 8 CE0 (pin 24)",
            "copi": "GPIO 10 MOSI (pin 19)",
            "cipo": "GPIO 9 MISO (pin 21)",
            "sck": "GPIO 11 SCLK (pin 23)",
            "irq": "GPIO 25 (pin 22)",
            "ground": "GND (pin 20)",
        },
    ),
}
"""The pictures by the names of their files."""


def draw(picture: Picture) -> str:
    """Draw a picture.

    Parameters
    ----------
    picture : Picture
        What to draw.

    Returns
    -------
    str
        Content of a file of SVG.

    Examples
    --------
    >>> "pin 4" in draw(PICTURES["wiring_pico.svg"])
    True
    """
    names = [field.name for field in fields(SPIPins) if field.name in SIGNALS]
    names = [name for name in SIGNALS if name in names] + ["ground"]
    height = 70 + _STEP * len(names)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" '
        'font-family="sans-serif" font-size="14">',
        f'  <rect width="760" height="{height}" fill="#ffffff"/>',
        *_box(20, height, picture.controller, "#e8f0fb", "#4a78b5"),
        *_box(520, height, picture.title, "#fdf0e0", "#c98a2b"),
    ]
    for index, name in enumerate(names):
        y = 70 + _STEP * index
        pin = picture.ground if name == "ground" else picture.pin + getattr(picture.wires, name)
        lines += _wire(y, name, picture.pins[name], pin)
    return "\n".join([*lines, "</svg>", ""])


def write(folder: Path) -> list[Path]:
    """Draw all pictures into a folder.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    list of Path
        The files.
    """
    paths = []
    for name, picture in PICTURES.items():
        paths.append(folder / name)
        paths[-1].write_text(draw(picture))
    return paths


def _box(x: int, height: int, title: str, fill: str, stroke: str) -> list[str]:
    return [
        f'  <rect x="{x}" y="16" width="220" height="{height - 32}" rx="6" fill="{fill}" '
        f'stroke="{stroke}"/>',
        f'  <text x="{x + 110}" y="40" text-anchor="middle" font-weight="bold">{title}</text>',
    ]


def _wire(y: int, name: str, left: str, right: str) -> list[str]:
    """Draw a wire from the controller's pin to the board's, with its direction."""
    label, driven = SIGNALS.get(name, ("ground", None))
    colour = _COLOURS[name]
    lines = [
        f'  <path d="M240 {y} H520" stroke="{colour}" stroke-width="2.5"/>',
        f'  <text x="380" y="{y - 6}" text-anchor="middle" fill="{colour}">{label}</text>',
        f'  <text x="230" y="{y + 5}" text-anchor="end">{left}</text>',
        f'  <text x="530" y="{y + 5}">{right}</text>',
    ]
    if driven is not None:
        tip, back = (520, 508) if driven else (240, 252)
        lines.append(f'  <path d="M{tip} {y} L{back} {y - 5} V{y + 5} z" fill="{colour}"/>')
    return lines


if __name__ == "__main__":
    for path in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        print(path)
