"""The command ``tensorspin train``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .common import DATA_HELP, check_writable, narrow_nodes, print_table


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    train = commands.add_parser("train", help="train a classifier and write its program")
    train.add_argument("data", help=DATA_HELP)
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


def _train(options) -> int:
    from ..contract.device.boards import find_board
    from ..data.datasets import load_dataset
    from ..models import MPSClassifier

    check_writable(options.output)
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
    print_table(
        ("held-out samples", len(data.y_test)),
        ("accuracy, float", f"{classifier.score(data.X_test, data.y_test):.2%}"),
        ("accuracy, quantised", f"{quantised:.2%}"),
        ("nodes of 4-bit weights", narrow_nodes(program)),
        ("program", options.output),
    )
    return 0
