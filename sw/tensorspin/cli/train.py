"""The command ``tensorspin train``: train a classifier and write its quantised program."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..files import check_writable
from .common import (
    DATA_HELP,
    add_header_option,
    match_labels,
    narrow_nodes,
)
from .report import Line

PASSED_ON = (
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
"""Options that `MPSClassifier` gets only if they are given, so that its own defaults hold."""


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    train = commands.add_parser(
        "train", help="train a classifier and write its program for a board"
    )
    train.add_argument("data", help=DATA_HELP)
    add_header_option(train)
    train.add_argument(
        "--output",
        type=Path,
        default=Path("model.npz"),
        metavar="FILE",
        help="file to write the program to; by default %(default)s",
    )
    train.add_argument(
        "--bond-dim",
        type=int,
        default=16,
        metavar="N",
        help="bond dimension of the network, 2 to 32: more learns finer distinctions, and takes "
        "more memory and time on the board; by default %(default)s",
    )
    train.add_argument(
        "--feature-map",
        default="linear",
        metavar="MAP",
        help="how a feature becomes a vector: linear, trigonometric or polynomial; by default "
        "%(default)s",
    )
    train.add_argument(
        "--epochs",
        type=int,
        default=100,
        metavar="N",
        help="passes over the training data; by default %(default)s",
    )
    train.add_argument(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="largest step of the optimiser; by default 0.005",
    )
    train.add_argument(
        "--input-noise",
        type=float,
        metavar="SIGMA",
        help="against overfitting: standard deviation of the noise added to features (scaled to 0 "
        "to 1) while training; by default 0.1",
    )
    train.add_argument(
        "--label-smoothing",
        type=float,
        metavar="SHARE",
        help="share of the target probability, 0 to 1, that all classes get alike; by default 0",
    )
    train.add_argument(
        "--max-shift",
        type=float,
        metavar="PIXELS",
        help="for images: move each at random while training, by at most this many pixels along "
        "both axes; by default 0",
    )
    train.add_argument(
        "--distortion",
        type=float,
        metavar="PIXELS",
        help="for images: bend each at random while training, by this many pixels (root mean "
        "square); by default 0",
    )
    train.add_argument(
        "--weight-decay",
        type=float,
        metavar="STRENGTH",
        help="against overfitting: pull of the weights towards their neutral values; large data "
        "sets need less; by default 0.3",
    )
    train.add_argument(
        "--feature-order",
        metavar="ORDER",
        help="order in which the network reads the features: snake or strips (along the rows of "
        "an image, or along pairs of rows) or mutual_information (learnt from the data); by "
        "default as the data have them",
    )
    train.add_argument(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="for images, whose pixels are the features row by row: their size in pixels; by "
        "default square",
    )
    train.add_argument(
        "--weight-bits",
        type=int,
        metavar="BITS",
        help="train for weights of 8 or 4 bits; by default train real numbers and round them to 8 "
        "bits",
    )
    train.add_argument(
        "--board",
        metavar="NAME",
        help="board that the program must fit: if it is too large, store the weights of some "
        "nodes in 4 bits",
    )
    train.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the random numbers: the same seed gives the same program; by default "
        "%(default)s",
    )
    train.set_defaults(command=_train)


def _train(options) -> int:
    from sklearn.utils.multiclass import type_of_target

    from ..contract.device.boards import find_board
    from ..data.datasets import load_dataset
    from ..models import MPSClassifier

    # What can be wrong is found out before the training, which may take minutes.
    check_writable(options.output)
    if options.board is not None:
        find_board(options.board).require_contractor()
        if options.weight_bits is not None:
            raise ValueError("give --weight-bits or --board, not both: one chooses the bits")
    data = load_dataset(options.data, header=options.header)
    y_test = data.y_test
    # A file's own held-out samples may be labelled otherwise. Targets that are no classes are left
    # to the classifier, which refuses them.
    if not type_of_target(data.y_train).startswith("continuous"):
        y_test = match_labels(np.unique(data.y_train), y_test, options.data)
    given = {name: getattr(options, name) for name in PASSED_ON}
    classifier = MPSClassifier(
        options.bond_dim,
        feature_map=options.feature_map,
        feature_range=data.feature_range,
        epochs=options.epochs,
        random_state=options.seed,
        verbose=True,
        **{name: value for name, value in given.items() if value is not None},
    )
    classifier.check_capacity(data.X_train, data.y_train, board=options.board)
    classifier.fit(data.X_train, data.y_train)
    program = classifier.quantize(options.board and "auto", board=options.board)
    quantised = np.mean(program.predict(data.X_test) == y_test)
    program.save(options.output)
    exact = classifier.score(data.X_test, y_test)
    options.report.table(
        Line("held-out samples", len(y_test)),
        Line("accuracy, float", exact, f"{exact:.2%}"),
        Line("accuracy, quantised", quantised, f"{quantised:.2%}"),
        narrow_nodes(program),
        Line("program", options.output),
    )
    return 0
