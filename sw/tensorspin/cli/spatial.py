"""The command ``tensorspin spatial``: describe an engine that computes one shape of networks."""

from __future__ import annotations

import math
import re
from pathlib import Path

from ..files import check_writable, make_folder, text_file
from .common import DATA_HELP
from .given_files import load_program
from .reading_options import add_reading_options
from .report import Line
from .run import short_time, target_kind
from .sign import add_signature_option


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument(
        "model",
        type=Path,
        help="program, a .npz file that tensorspin train has written, whose network is a tree; the "
        "engine runs any program of its shape",
    )
    parser.add_argument(
        "--board",
        default="ulx3s_85f",
        metavar="NAME",
        help="board with an ECP5 whose bitstream will have the engine; by default ulx3s_85f",
    )
    parser.add_argument(
        "--name",
        dest="engine",  # `name` is that of the command
        metavar="NAME",
        help="name of the engine, whose board is then called spatial/NAME; by default that of the "
        "model's file",
    )
    parser.add_argument(
        "--data",
        help=f"{DATA_HELP}; widths of numbers are chosen by the predictions of its training "
        "samples, and the held-out samples show the engine's own",
    )
    parser.add_argument(
        "--value-bits",
        type=int,
        metavar="N",
        help="width of vectors' entries, 8 to 18; by default 16, or chosen by --data",
    )
    parser.add_argument(
        "--weight-bits",
        type=int,
        metavar="N",
        help="width of weights, 3 to 8; by default 8, or chosen by --data",
    )
    parser.add_argument(
        "--clock",
        type=float,
        metavar="MHZ",
        help="clock of the engine in MHz; by default 75, or 100 on the faster boards. What a build "
        "reaches, tensorspin bitstream tells",
    )
    add_signature_option(parser)
    add_reading_options(parser)
    parser.set_defaults(command=_spatial)


def _spatial(options) -> int:
    from ..compiler.spatial import spatial_size
    from ..contract.device import spatial_boards
    from ..contract.device.boards import find_board
    from ..contract.spatial.latency import latency
    from ..contract.spatial.resources import check_fits, data_products, weight_products

    base = find_board(options.board)
    part = spatial_boards.board_part(base.name)
    clock_hz = spatial_boards.default_clock_hz(base.name)
    if options.clock is not None:
        if not 0 < options.clock < math.inf:
            raise ValueError(f"--clock must be above 0, not {options.clock:g}")
        clock_hz = round(options.clock * 1e6)
    name = options.engine
    if name is None:
        name = re.sub("[^A-Za-z0-9_-]", "-", options.model.stem)
    program = load_program(options.model, options.require_signature)
    widths = {"value_bits": options.value_bits, "weight_bits": options.weight_bits}
    given = {key: value for key, value in widths.items() if value is not None}
    # All that can be refused is refused before anything is computed.
    size = spatial_size(program, multipliers=part.multipliers, **given)
    spatial_boards.make_board(name, base, clock_hz, size)
    path = check_writable_description(spatial_boards.description_path(name))
    quality: list[Line] = []
    if options.data is not None:
        chosen, quality = _by_data(program, options, given, part.multipliers)
        size = spatial_size(program, multipliers=part.multipliers, **chosen)
    check_fits(size, part)
    board = spatial_boards.make_board(name, base, clock_hz, size)
    with text_file(path) as file:
        file.write(spatial_boards.description_text(board))
    cycles = latency(size)
    products = data_products(size), weight_products(size)
    seconds = cycles / clock_hz
    options.report.table(
        Line("written to", path.absolute(), key="path"),
        Line("board", board.name),
        Line("shape", size.shape_text),
        Line("width of values", size.value_bits, f"{size.value_bits} bits", "value_bits"),
        Line("width of weights", size.weight_bits, f"{size.weight_bits} bits", "weight_bits"),
        *quality,
        Line(
            "multiplications per sample",
            sum(products),
            f"{sum(products)}, all at once; {part.multipliers} hardware multipliers",
            "multiplications",
        ),
        Line("cycles per sample", cycles, f"{cycles}; another sample can begin in each", "cycles"),
        Line(
            "computing per sample",
            seconds,
            f"{short_time(seconds)} at {clock_hz / 1e6:g} MHz, an expectation until it is built",
            "computing_seconds_per_sample",
        ),
    )
    options.report.say(
        f"try it: tensorspin run {options.model} --board sim://{board.name} --data FILE; build it: "
        f"tensorspin bitstream {board.name}"
    )
    return 0


def check_writable_description(path: Path) -> Path:
    """Make the folder of a description, and refuse a file that cannot be written."""
    make_folder(path.parent)
    return check_writable(path)


def _by_data(program, options, given: dict, multipliers: int) -> tuple[dict, list[Line]]:
    """Choose the widths that are not given, and measure the engine on held-out samples."""
    import numpy as np

    from ..compiler.outputs import Classification, OutlierDetection
    from ..compiler.spatial import SpatialProgram, spatial_size
    from ..compiler.spatial_widths import agreement, choose_widths
    from ..data.datasets import load_dataset
    from .quality import match_labels
    from .reading_options import known_of, reading_of

    task = program.task
    kind = target_kind(task)
    data = load_dataset(options.data, reading=reading_of(options, kind), known=known_of(program))
    targets = [data.y_train, data.y_test]
    if isinstance(task, Classification):
        targets = [match_labels(program.classes, y, options.data) for y in targets]
    elif not isinstance(task, OutlierDetection):
        targets = [np.asarray(y, dtype=np.float64) for y in targets]
    value_bits, weight_bits = choose_widths(program, data.X_train, targets[0], **given)
    chosen = {"value_bits": value_bits, "weight_bits": weight_bits}
    engine = SpatialProgram(program, spatial_size(program, multipliers=multipliers, **chosen))
    own = program.predict(data.X_test)
    expected = own if isinstance(task, OutlierDetection) else targets[1]
    values = [agreement(program, each, expected) for each in (engine.predict(data.X_test), own)]
    what = {"classes": "accuracy", "numbers": "R^2", "outliers": "agreement"}[kind]
    return chosen, [
        Line(
            f"{what} on held-out samples",
            {"engine": values[0], "program": values[1]},
            f"{values[0]:.4f}, of the program itself {values[1]:.4f}",
            "quality",
        )
    ]
