"""The command ``tensorspin export``: write a program for a microcontroller, or an engine for it."""

from __future__ import annotations

from pathlib import Path

from ..errors import TensorspinError
from ..files import binary_file, check_writable, make_folder, text_file
from .given_files import load_program
from .report import Line
from .sign import add_signature_option

FORMATS = {"c": ".h", "micropython": ".tspn", "verilog": ".v"}
"""What can be written, and the suffix of its file."""


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "model", type=Path, help="program, a .npz file that tensorspin train has written"
    )
    parser.add_argument(
        "--board",
        required=True,
        metavar="NAME",
        help="board that will run the program, such as icebreaker_spi: the order of the weights "
        "depends on it",
    )
    parser.add_argument(
        "--format",
        required=True,
        choices=tuple(FORMATS),
        help="c: a header for the driver in C; micropython: a file for the driver in MicroPython; "
        "verilog: the engine of the board as a module, such as that of spatial/NAME, and what it "
        "is loaded with",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder to write to, made if it is missing; by default the current one",
    )
    parser.add_argument(
        "--name",
        dest="file_name",  # `name` is that of the command
        metavar="NAME",
        default="model",
        help="name of the file without its suffix, with which names in C begin, too; by default "
        "model",
    )
    parser.add_argument(
        "--with-driver",
        action="store_true",
        help="also write the driver's sources, into the folder tensorspin of DIR",
    )
    add_signature_option(parser)
    parser.set_defaults(command=_export)


def _export(options) -> int:
    if options.format == "verilog":
        return _export_verilog(options)
    from ..contract.device.boards import find_board
    from ..export.c_header import check_name, model_header
    from ..export.driver import driver_files
    from ..export.model import ClientModel
    from ..export.model_file import model_bytes

    check_name(options.file_name)
    driver = driver_files(options.format) if options.with_driver else {}
    board = find_board(options.board)
    model = ClientModel(load_program(options.model, options.require_signature), board)
    content: str | bytes
    if options.format == "c":
        content = model_header(model, options.file_name)
    else:
        content = model_bytes(model)
    make_folder(options.output)
    path = options.output / (options.file_name + FORMATS[options.format])
    check_writable(path)
    folder = options.output / "tensorspin"
    for name in driver:
        make_folder((folder / name).parent)
        check_writable(folder / name)
    for name, source in driver.items():
        with binary_file(folder / name) as file:
            file.write(source)
    if isinstance(content, str):
        with text_file(path) as file:
            file.write(content)
    else:
        with binary_file(path) as file:
            file.write(content)
    seconds = (model.single_cycles or model.cycles) / board.clock_hz
    options.report.table(
        Line("written to", path.absolute(), key="path"),
        *([Line("driver", folder.absolute(), key="driver_path")] if driver else []),
        *(
            [
                Line(
                    "columns of categories",
                    list(model.categories),
                    f"{', '.join(map(str, model.categories))}: readings are places in the lists "
                    f"of names",
                )
            ]
            if model.categories
            else []
        ),
        Line("digest", model.digest, f"{model.digest:08x}"),
        Line(
            "size of program and table",
            size := len(model.image) + len(model.table),
            f"{size} B",
            "program_bytes",
        ),
        Line("cycles per sample", model.cycles),
        *(
            [Line("of one sample by all groups", model.single_cycles, key="single_cycles")]
            if model.single_cycles
            else []
        ),
        Line(
            "computing per sample",
            seconds,
            f"{seconds * 1e6:.1f} us at {board.clock_hz / 1e6:g} MHz",
            "computing_seconds_per_sample",
        ),
    )
    return 0


def _export_verilog(options) -> int:
    """Write an engine, and the bytes of the program for each of its memories."""
    from ..compiler.spatial import SpatialProgram, check_shape
    from ..contract.contractor.memory import MemorySpace
    from ..contract.device.boards import find_board
    from ..contract.spatial.latency import latency

    try:
        # The import stands here, as the host must work without the gateware package.
        from tensorspin_gateware.build import verilog
    except ImportError as error:
        raise TensorspinError(
            f"Verilog needs the gateware and its tools ({error}); in tensorspin's checkout, run "
            f"`make setup` or `pip install '.[gateware]'`"
        ) from error
    if options.with_driver:
        raise ValueError("--with-driver is for microcontrollers, not for --format verilog")
    board, name = find_board(options.board), options.file_name
    program = load_program(options.model, options.require_signature)
    if board.spatial is not None:
        check_shape(program, board.spatial, f"board {board.name!r}")
        images = {"bin": SpatialProgram(program, board.spatial).image}
        cycles = latency(board.spatial)
    else:
        size = board.require_contractor()
        program.check(size)
        image = program.image(size.lanes, bool(size.signature))
        images = {
            f"{MemorySpace.PROGRAM.name.lower()}.bin": image,
            f"{MemorySpace.TABLE.name.lower()}.bin": program.table_bytes(),
        }
        cycles = program.cycles(size.lanes, size.latencies)
    files = {options.output / f"{name}.{suffix}": image for suffix, image in images.items()}
    module = options.output / f"{name}.v"
    make_folder(options.output)
    for path in (module, *files):
        check_writable(path)
    try:
        text = verilog.module_text(board, name)
    except RuntimeError as error:  # a tool is missing
        raise TensorspinError(str(error)) from error
    with text_file(module) as file:
        file.write(text)
    for path, image in files.items():
        with binary_file(path) as binary:
            binary.write(image)
    options.report.table(
        Line("written to", module.absolute(), key="path"),
        Line(
            "program",
            [path.absolute() for path in files],
            ", ".join(str(path.absolute()) for path in files),
            "program_paths",
        ),
        Line("cycles per sample", cycles),
    )
    return 0
