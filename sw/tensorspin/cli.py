"""The command line: ``tensorspin COMMAND ...``."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from pathlib import Path
from zipfile import is_zipfile

import numpy as np

from . import port_commands
from .errors import TensorspinError

DEFAULT_BOARD = "icebreaker"
DEFAULT_URL = f"sim://{DEFAULT_BOARD}"


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, without the program's name.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if the answer is no or something failed, 2 if the
        arguments are wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
        print(f"tensorspin: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tensorspin: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorspin",
        description="Tensor networks on small FPGAs: train, quantise, and run them on a board.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    url_help = (
        "sim://NAME (the gateware, simulated), golden://NAME (its NumPy model), or a serial port "
        "such as /dev/ttyUSB1"
    )
    data_help = "digits, iris, wine, breast_cancer, or a .npz or .csv file (class last)"

    demo = commands.add_parser("demo", help="train on handwritten digits and classify on a board")
    demo.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=url_help)
    demo.add_argument("--output", type=Path, default=Path("results"), help="folder for the figure")
    demo.add_argument("--quick", action="store_true", help="a smaller network, fewer images")
    demo.set_defaults(command=_demo)

    info = commands.add_parser("info", help="what a board says of itself")
    info.add_argument("url", help=url_help)
    info.set_defaults(command=_info)

    port_commands.add(commands)

    train = commands.add_parser("train", help="train a classifier and write its program")
    train.add_argument("data", help=data_help)
    train.add_argument("--output", type=Path, default=Path("model.npz"), help="file to write")
    train.add_argument("--bond-dim", type=int, default=16, help="2 to 32; by default %(default)s")
    train.add_argument(
        "--feature-map", default="linear", help="linear (default), trigonometric or polynomial"
    )
    train.add_argument(
        "--epochs", type=int, default=100, help="passes over the data; by default %(default)s"
    )
    train.add_argument("--learning-rate", type=float, help="largest step of the training")
    train.add_argument(
        "--input-noise", type=float, help="noise on the scaled features while training"
    )
    train.add_argument(
        "--label-smoothing", type=float, help="share of the target that all classes get, 0 to 1"
    )
    train.add_argument(
        "--max-shift", type=float, help="move images by up to so many pixels while training"
    )
    train.add_argument(
        "--distortion",
        type=float,
        help="displace pixels by a smooth random field of so many pixels while training",
    )
    train.add_argument("--weight-decay", type=float, help="less for large data sets")
    train.add_argument(
        "--feature-order",
        metavar="ORDER",
        help="as given (default), snake or strips (rows of an image, or pairs of rows) or "
        "mutual_information",
    )
    train.add_argument(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="of the images, by default square",
    )
    train.add_argument(
        "--weight-bits", type=int, metavar="BITS", help="train for weights of 8 or 4 bits"
    )
    train.add_argument(
        "--board",
        metavar="NAME",
        help="store the weights of some nodes in 4 bits if the program is too large for this board",
    )
    train.add_argument("--seed", type=int, default=0, help="of the random numbers")
    train.set_defaults(command=_train)

    run = commands.add_parser("run", help="classify on a board with a program")
    run.add_argument("model", type=Path, help="program written by train")
    run.add_argument("--board", default=DEFAULT_URL, metavar="URL", help=url_help)
    run.add_argument("--data", required=True, help=f"{data_help}; its held-out samples are used")
    run.add_argument("--samples", type=int, help="use only so many, at least 1")
    run.add_argument("--output", type=Path, help="write classes and scores to this .csv file")
    run.set_defaults(command=_run)

    estimate = commands.add_parser(
        "estimate",
        help="what a board's engines take; whether a program fits, and how fast it is, or an Ising "
        "or QUBO model, and how exactly",
    )
    estimate.add_argument(
        "model", type=Path, nargs="?", help="program written by train, or a file for anneal"
    )
    estimate.add_argument("--board", default=DEFAULT_BOARD, metavar="NAME", help="name of a board")
    estimate.set_defaults(command=_estimate)

    anneal = commands.add_parser("anneal", help="minimise an Ising or QUBO model on a board")
    anneal.add_argument(
        "file", type=Path, help="rudy (G-set, BiqMac), .qubo, .sparse, or a file of dimod"
    )
    anneal.add_argument("--board", required=True, metavar="URL", help=url_help)
    anneal.add_argument(
        "--format", help="rudy, sparse, qubo, coo or dimod; by default as the file looks"
    )
    anneal.add_argument("--reads", type=int, help="by default as many as the board has replicas")
    anneal.add_argument("--sweeps", type=int, default=1000, help="by default %(default)s")
    anneal.add_argument(
        "--beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures; by default from the model",
    )
    anneal.add_argument(
        "--schedule", default="geometric", help="geometric (default) or linear in the above"
    )
    anneal.add_argument("--seed", type=int, help="the same gives the same; by default random")
    anneal.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of a best_known.csv; by default the file's, or the one above",
    )
    anneal.add_argument("--plot", type=Path, help="draw the energy against time into this file")
    anneal.add_argument("--output", type=Path, help="write the states to this .csv file")
    anneal.set_defaults(command=_anneal)

    link_test = commands.add_parser("link-test", help="measure the line to a board")
    link_test.add_argument("url", help=url_help)
    link_test.add_argument("--seconds", type=float, default=2.0, help="time for the measurement")
    link_test.set_defaults(command=_link_test)
    return parser


# Imported where they are used: `tensorspin --help` should not wait for scikit-learn.


def _demo(options) -> int:
    from .demo import run_demo

    return 0 if run_demo(options.board, options.output, options.quick) else 1


def _info(options) -> int:
    from .board import Board
    from .describe import engine_rows

    with Board.open(options.url) as board:
        info, status = board.info, board.status()
    work = []
    if info.contractor is not None:
        model = f"active, digest {status.digest:08x}" if status.active else "none"
        work = [("model", model), ("samples contracted", status.samples)]
    _print_table(
        ("board", info.board),
        ("protocol version", info.protocol),
        ("build", info.build.hex()),
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


def _train(options) -> int:
    from .contract.boards import find_board
    from .datasets import load_dataset
    from .models import MPSClassifier

    _check_writable(options.output)
    if options.board is not None:
        find_board(options.board).require_contractor()  # a wrong name is told before the training
        if options.weight_bits is not None:
            raise ValueError("give --weight-bits or --board, not both: one chooses the bits")
    data = load_dataset(options.data)
    chosen = {
        name: getattr(options, name)
        for name in (
            "learning_rate",
            "input_noise",
            "weight_decay",
            "label_smoothing",
            "max_shift",
            "distortion",
            "feature_order",
            "image_size",
            "weight_bits",
        )
    }
    classifier = MPSClassifier(
        options.bond_dim,
        feature_map=options.feature_map,
        feature_range=data.feature_range,
        epochs=options.epochs,
        random_state=options.seed,
        verbose=True,
        **{name: value for name, value in chosen.items() if value is not None},
    ).fit(data.X_train, data.y_train)
    program = classifier.quantize(options.board and "auto", board=options.board)
    quantised = np.mean(program.predict(data.X_test) == data.y_test)
    program.save(options.output)
    _print_table(
        ("held-out samples", len(data.y_test)),
        ("accuracy, float", f"{classifier.score(data.X_test, data.y_test):.2%}"),
        ("accuracy, quantised", f"{quantised:.2%}"),
        ("nodes of 4-bit weights", _narrow_nodes(program)),
        ("program", options.output),
    )
    return 0


def _run(options) -> int:
    from .board import Board
    from .compiler import NetworkProgram
    from .datasets import load_dataset
    from .progress import progress_bar

    if options.samples is not None and options.samples < 1:
        raise ValueError(f"--samples must be at least 1, not {options.samples}")
    if options.output is not None:
        _check_writable(options.output)
    program = NetworkProgram.load(options.model)
    data = load_dataset(options.data)
    X, y = data.X_test[: options.samples], data.y_test[: options.samples]
    levels = program.levels(X)
    with Board.open(options.board) as board:
        with progress_bar("streaming weights", "B") as progress:
            board.load(program, progress=progress)
        with progress_bar("contracting", "sample") as progress:
            result = board.run(levels, progress=progress)
        clock_hz = board.info.clock_hz
    predictions = program.interpret(result.scores, result.exponents)
    cycles = result.cycles.mean()
    _print_table(
        ("samples", len(predictions)),
        *_quality(program, predictions, y),
        ("cycles per sample", f"{cycles:.0f}"),
        ("computing per sample", f"{cycles / clock_hz * 1e6:.1f} us at {clock_hz / 1e6:g} MHz"),
    )
    if options.output is not None:
        _write_answers(options.output, program, predictions, result)
        print(f"written to {options.output}")
    return 0


def _quality(program, predictions, y) -> list[tuple[str, str]]:
    """How good the predictions are, in the measure of the program's task."""
    from .compiler.outputs import Classification, Regression

    if isinstance(program.task, Classification):
        return [("accuracy", f"{np.mean(predictions == y):.2%}")]
    if not isinstance(program.task, Regression):
        return [("outliers", f"{np.mean(predictions == -1):.2%}")]
    try:
        targets = np.asarray(y, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"the program predicts numbers, the data have none: {error}") from error
    squares, spread = np.mean((predictions - targets) ** 2), np.var(targets)
    explained = f"{1 - squares / spread:.4f}" if spread > 0 else "-"
    return [("root mean square error", f"{np.sqrt(squares):.6g}"), ("R^2", explained)]


def _write_answers(path, program, predictions, result) -> None:
    """One line a sample: the prediction, what else the task tells, and what the board returned."""
    from .compiler.outputs import Classification, OutlierDetection

    task = program.task
    columns = {"class" if isinstance(task, Classification) else "prediction": predictions}
    if isinstance(task, OutlierDetection):
        columns["log-likelihood"] = task.log_likelihood(
            result.scores, result.exponents, program.log2_scale
        )
    columns["exponent"] = result.exponents
    names = program.classes if isinstance(task, Classification) else range(program.n_outputs)
    columns.update((f"score {name}", scores) for name, scores in zip(names, result.scores.T))
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))


def _estimate(options) -> int:
    from .compiler import NetworkProgram
    from .contract.boards import find_board
    from .describe import engine_rows
    from .estimate import estimate

    board = find_board(options.board)
    if options.model is None:
        print(f"{board.title}, {board.clock_hz / 1e6:g} MHz")
        _print_table(*engine_rows(board))
        return 0
    if options.model.suffix != ".npz" and not is_zipfile(options.model):
        from .sampling.estimate import describe_model

        fits, rows = describe_model(options.model, board)
        print(f"{options.model} on {board.title}")
        _print_table(*rows)
        return 0 if fits else 1
    program = NetworkProgram.load(options.model)
    found = estimate(program, board)
    print(f"{options.model} on {board.title}")
    for demand in found.demands:
        verdict = "fits" if demand.fits else f"DOES NOT FIT: {demand.advice}"
        print(f"  {demand.what:<42}{demand.needed:>8} of {demand.limit:>8}  {verdict}")
    print(f"  {'nodes of 4-bit weights':<42}{_narrow_nodes(program):>8}")
    clock = f"at {board.clock_hz / 1e6:g} MHz"
    print(f"  {'cycles per sample':<42}{found.cycles:>8}")
    print(f"  {'latency of computing':<42}{found.seconds * 1e6:>8.1f} us {clock}")
    print(f"  {'multiplier utilisation':<42}{found.utilisation:>8.1%}")
    print(
        f"  {'samples per second':<42}{found.samples_per_second:>8.0f} (modelled, with the line at "
        f"{board.baud} baud)"
    )
    return 0 if found.fits else 1


def _anneal(options) -> int:
    from .plots import check_matplotlib
    from .sampling.command import anneal_file

    for path in (options.plot, options.output):
        if path is not None:
            _check_writable(path)
    if options.plot is not None:
        check_matplotlib()
    _print_table(*anneal_file(options))
    return 0


def _narrow_nodes(program) -> str:
    return f"{sum(node.narrow for node in program.nodes)} of {len(program.nodes)}"


def _link_test(options) -> int:
    from .board import Board

    with Board.open(options.url) as board:
        print(board.link_test(options.seconds))
    return 0


def _check_writable(path: Path) -> None:
    """Refuse a file that can't be written before the work, not after it."""
    if path.is_dir():
        raise OSError(f"cannot write {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(f"cannot write {path}: permission denied")


def _print_table(*rows: tuple[str, object]) -> None:
    width = max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        print(f"{name:<{width}}{value}")


if __name__ == "__main__":
    sys.exit(main())
