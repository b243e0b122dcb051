"""The command ``tensorspin export``: write a program for a microcontroller."""

from __future__ import annotations

from pathlib import Path

from ..files import binary_file, check_writable, make_folder, text_file
from .report import Line

FORMATS = {"c": ".h", "micropython": ".tspn"}
"""What can be written, and the suffix of its file."""


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    export = commands.add_parser(
        "export",
        help="write a trained program for a microcontroller that drives a board over SPI",
    )
    export.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    export.add_argument(
        "--board",
        required=True,
        metavar="NAME",
        help="board that will run the program, such as icebreaker_spi: the order of the weights "
        "depends on it",
    )
    export.add_argument(
        "--format",
        required=True,
        choices=tuple(FORMATS),
        help="c: a header for the driver in C; micropython: a file for the driver in MicroPython",
    )
    export.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder to write to, made if it is missing; by default the current one",
    )
    export.add_argument(
        "--name",
        default="model",
        help="name of the file without its suffix, with which names in C begin, too; by default "
        "model",
    )
    export.add_argument(
        "--with-driver",
        action="store_true",
        help="also write the driver's sources, into the folder tensorspin of DIR",
    )
    export.set_defaults(command=_export)


def _export(options) -> int:
    from ..compiler import NetworkProgram
    from ..contract.device.boards import find_board
    from ..export.c_header import check_name, model_header
    from ..export.driver import driver_files
    from ..export.model import ClientModel
    from ..export.model_file import model_bytes

    check_name(options.name)
    driver = driver_files(options.format) if options.with_driver else {}
    board = find_board(options.board)
    model = ClientModel(NetworkProgram.load(options.model), board)
    make_folder(options.output)
    path = options.output / (options.name + FORMATS[options.format])
    check_writable(path)
    folder = options.output / "tensorspin"
    for name in driver:
        make_folder((folder / name).parent)
        check_writable(folder / name)
    for name, content in driver.items():
        with binary_file(folder / name) as file:
            file.write(content)
    if options.format == "c":
        with text_file(path) as file:
            file.write(model_header(model, options.name))
    else:
        with binary_file(path) as file:
            file.write(model_bytes(model))
    seconds = model.cycles / board.clock_hz
    options.report.table(
        Line("written to", path.absolute(), key="path"),
        *([Line("driver", folder.absolute(), key="driver_path")] if driver else []),
        Line("digest", model.digest, f"{model.digest:08x}"),
        Line(
            "size of program and table",
            size := len(model.image) + len(model.table),
            f"{size} B",
            "program_bytes",
        ),
        Line("cycles per sample", model.cycles),
        Line(
            "computing per sample",
            seconds,
            f"{seconds * 1e6:.1f} us at {board.clock_hz / 1e6:g} MHz",
            "computing_seconds_per_sample",
        ),
    )
    return 0
