"""The command ``tensorspin train``: train an estimator and write its quantised program."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CapacityError
from .common import (
    DATA_HELP,
    DEFAULT_BOARD,
    check_output,
    kernel_line,
    narrow_nodes,
)
from .given_files import PROGRAM, kind_of_file, other_command
from .reading_options import add_reading_options
from .report import Line
from .training_data import training_data
from .training_report import memory_lines, parameter_lines, quality_lines

if TYPE_CHECKING:
    from ..data.datasets import Dataset

_logger = logging.getLogger(__name__)

ESTIMATORS = {
    "mps": ("MPSClassifier", "classes"),
    "ttn": ("TTNClassifier", "classes"),
    "ensemble": ("EnsembleClassifier", "classes"),
    "regressor": ("MPSRegressor", "numbers"),
    "anomaly": ("MPSAnomalyDetector", "outliers"),
}
"""Estimators of `tensorspin.models` by the words of ``--estimator``, with what they learn."""

PASSED_ON = (
    "bond_dim",
    "epochs",
    "feature_map",
    "learning_rate",
    "input_noise",
    "weight_decay",
    "label_smoothing",
    "max_shift",
    "distortion",
    "feature_order",
    "scaling",
    "missing",
    "image_size",
    "n_repeats",
    "repeat_order",
    "local_dim",
    "feature_margin",
    "weight_bits",
    "contamination",
    "calibration",
)
"""Options that an estimator gets only if they are given, so that its own defaults hold."""


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("data", help=DATA_HELP)
    parser.add_argument(
        "--estimator",
        choices=ESTIMATORS,
        help="what to train: a classifier (ensemble, the sum of several networks, as many as the "
        f"board, without --board an {DEFAULT_BOARD}, has room for; mps, a single matrix product "
        "state; or ttn, a tree), a regressor, or an anomaly detector, which needs no target; by "
        "default ensemble, or mps if an option is given that an ensemble has not",
    )
    parser.add_argument(
        "--test",
        metavar="FILE",
        help="data set to test with, of the same columns; by default a fifth of the samples is "
        "held out",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("model.npz"),
        metavar="FILE",
        help="file to write the program to; by default %(default)s",
    )
    parser.add_argument(
        "--bond-dim",
        type=_or_auto(int),
        metavar="N",
        help="bond dimension of the network, 2 to 32: more learns finer distinctions, and takes "
        "more memory and time on the board; by default auto: 16, of regressors and detectors 8",
    )
    parser.add_argument(
        "--feature-map",
        metavar="MAP",
        help="how a feature becomes a vector: linear, trigonometric, polynomial, bernstein, bumps, "
        "damped_bumps, bspline or learnt (with the network); by default auto: chosen by the "
        "numbers of features and samples, as are --n-repeats, --scaling and what acts against "
        "overfitting; the report tells what",
    )
    parser.add_argument(
        "--local-dim",
        type=int,
        metavar="N",
        help="number of components of that vector for the maps polynomial, bernstein, bumps, "
        "bspline and learnt, 2 to 8 (on an iCEBreaker at most 4); by default 4, of polynomial 3",
    )
    parser.add_argument(
        "--feature-margin",
        type=_or_auto(float),
        metavar="SHARE",
        help="share of the range of each feature that is added on either side, so that values "
        "beyond the training data are told from the outermost ones; by default 0, of detectors "
        "auto",
    )
    parser.add_argument(
        "--n-repeats",
        type=_or_auto(int),
        metavar="N",
        help="number of sites of the network that read each feature: more learns finer "
        "distinctions, above all of few features, and takes more memory and time; by default auto",
    )
    parser.add_argument(
        "--repeat-order",
        metavar="ORDER",
        help="where the sites that read one feature stand: tile (all features are read again and "
        "again) or interleave (next to each other); by default tile",
    )
    parser.add_argument(
        "--scaling",
        metavar="SCALE",
        help="how values are spread over the 256 levels of a feature: range (from the least to the "
        "greatest), percentile (from the 1st to the 99th, against outliers), standard (three "
        "standard deviations around the mean), quantile (each level as often as the others) or, "
        "for detectors, tails (levels are kept for what was not seen); by default auto",
    )
    parser.add_argument(
        "--missing",
        choices=("refuse", "level"),
        help="what becomes of features that are missing (empty cells, NA, ?), and of words that "
        "the training data do not have: refuse them, or give them a level of their own; by "
        "default refuse",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="passes over the training data; by default 100, of ttn 60, of regressors and "
        "detectors 50",
    )
    parser.add_argument(
        "--learning-rate",
        type=_or_auto(float),
        metavar="RATE",
        help="largest step of the optimiser; by default auto",
    )
    parser.add_argument(
        "--input-noise",
        type=_or_auto(float),
        metavar="SIGMA",
        help="against overfitting: standard deviation of the noise added to features (scaled to 0 "
        "to 1) while training; by default auto",
    )
    parser.add_argument(
        "--label-smoothing",
        type=_or_auto(float),
        metavar="SHARE",
        help="share of the target probability, 0 to 1, that all classes get alike; by default auto",
    )
    parser.add_argument(
        "--max-shift",
        type=float,
        metavar="PIXELS",
        help="for images: move each at random while training, by at most this many pixels along "
        "both axes; by default 0",
    )
    parser.add_argument(
        "--distortion",
        type=float,
        metavar="PIXELS",
        help="for images: bend each at random while training, by this many pixels (root mean "
        "square); by default 0",
    )
    parser.add_argument(
        "--weight-decay",
        type=_or_auto(float),
        metavar="STRENGTH",
        help="against overfitting: pull of the weights towards their neutral values; large data "
        "sets need less; by default auto",
    )
    parser.add_argument(
        "--feature-order",
        metavar="ORDER",
        help="order in which the network reads the features: snake or strips (along the rows of "
        "an image, or along pairs of rows) or mutual_information (learnt from the data); by "
        "default as the data have them",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="for images, whose pixels are the features row by row: their size in pixels; by "
        "default square",
    )
    parser.add_argument(
        "--weight-bits",
        type=int,
        metavar="BITS",
        help="train for weights of 8 or 4 bits; by default train real numbers and round them to 8 "
        "bits",
    )
    parser.add_argument(
        "--protect",
        action="store_true",
        help="store weights of 4 bits with a code each, so that a board that can (such as "
        "protect/ulx3s_25f) corrects bits that change in its memory; they take as much memory as "
        "weights of 8 bits",
    )
    parser.add_argument(
        "--board",
        metavar="NAME",
        help="board that the program must fit: if it would be too large, the network gets narrower "
        "bonds, then fewer sites a feature, then weights of 4 bits; the report tells what it costs",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the random numbers: the same seed gives the same program; by default "
        "%(default)s",
    )
    parser.add_argument(
        "--contamination",
        type=float,
        metavar="SHARE",
        help="for anomaly: share of the training samples that are outliers, 0 to 0.5; by default "
        "0.1",
    )
    parser.add_argument(
        "--calibration",
        choices=("auto", "held_out", "none"),
        help="for mps and ttn: whether a second training with three quarters of the samples shows "
        "how certain probabilities may be (held_out) or not (none); classes stay as they are; by "
        "default auto: if other parameters are chosen, too, and there are 20 to 3,000 samples",
    )
    add_reading_options(parser)
    parser.set_defaults(command=_train)


def _or_auto(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what `argparse` takes as the type of a number that may also be the word auto."""

    def read(text: str) -> Any:
        return text if text == "auto" else kind(text)

    read.__name__ = kind.__name__  # argparse names the type in its messages
    return read


def _train(options) -> int:
    from ..contract.device.boards import find_board

    # What can be wrong is found out before the training, which may take minutes.
    for given in filter(None, (options.data, options.test)):
        if kind_of_file(Path(given)) == PROGRAM:
            raise ValueError(f"{given} holds no samples; {other_command(Path(given))}")
    check_output(options.output, options.data, options.test)
    if options.board is not None:
        find_board(options.board).require_contractor()
        if options.weight_bits is not None:
            raise ValueError("give --weight-bits or --board, not both: one chooses the bits")
        if options.protect:
            raise ValueError("give --protect or --board, not both: protected weights have 4 bits")
    if options.protect and options.weight_bits not in (None, 4):
        raise ValueError(f"--protect needs --weight-bits 4, not {options.weight_bits}")
    estimator = _estimator(options)
    _, task = ESTIMATORS[options.estimator]
    data = training_data(options, task)
    if data.categorical:
        estimator.set_params(categorical_features=list(data.categorical))
    # A range that is known of a data set is not the user's promise, who may ask for another scale.
    learnt = options.scaling not in (None, "range", "auto") or options.feature_margin
    # A detector keeps levels for what is beyond a range, unless it is asked for the range alone.
    learnt = learnt or (task == "outliers" and options.scaling != "range")
    if data.feature_range is not None and not learnt:
        estimator.set_params(feature_range=data.feature_range)
    y = data.y_train if task != "outliers" else None
    estimator.check_capacity(data.X_train, y, board=options.board)
    if options.estimator == "ensemble" and options.board is None:
        _assume_board(estimator, data)
    estimator.fit(data.X_train, y)
    if options.protect:
        program = estimator.quantize(weight_bits=4, protect=True)
    else:
        program = estimator.quantize(options.board and "auto", board=options.board)
    replace(program, feature_names=_names(data)).save(options.output)
    # What it costs to fit the board is told by what all weights would give in 8 and in 4 bits.
    others = {}
    if options.board is not None:
        others = {f"{bits} bits": estimator.quantize(bits) for bits in (8, 4)}
    options.report.table(
        *parameter_lines(estimator),
        Line("held-out samples", len(data.X_test)),
        *quality_lines(estimator, {"quantised": program, **others}, data, task),
        narrow_nodes(program),
        *memory_lines(program, options.board),
        *([Line("target", data.target)] if data.target else []),
        kernel_line(),
        Line("program", options.output),
    )
    options.report.record(
        estimator=options.estimator,
        features=data.X_train.shape[1],
        training_samples=len(data.X_train),
    )
    return 0


def _estimator(options) -> Any:
    """Make the estimator with the options that are given, and refuse those that it has not."""
    from .. import models

    given = {each: getattr(options, each) for each in PASSED_ON}
    given = {each: value for each, value in given.items() if value is not None}
    if given.get("calibration") == "none":
        given["calibration"] = None
    if options.estimator is None:
        of_ensemble = models.EnsembleClassifier().get_params().keys()
        options.estimator = "mps" if given.keys() - of_ensemble else "ensemble"
    name, _ = ESTIMATORS[options.estimator]
    kind = getattr(models, name)
    known = kind().get_params().keys()
    for each in given.keys() - known:
        raise ValueError(
            f"--{each.replace('_', '-')} is not for --estimator {options.estimator}: leave it out"
        )
    if "board" in known:  # what the board has no room for need not be trained
        given["board"] = options.board
    return kind(random_state=options.seed, verbose=True, **given)


def _assume_board(ensemble, data: Dataset) -> None:
    """Let an ensemble keep no more networks than the board that all commands assume has room for.

    Data for which not even one network fits are meant for another board.
    """
    try:
        ensemble.check_capacity(data.X_train, data.y_train, board=DEFAULT_BOARD)
    except CapacityError:
        return
    ensemble.set_params(board=DEFAULT_BOARD)


def _names(data: Dataset) -> tuple[str, ...] | None:
    """Return the names of the features for the program, if they tell them apart."""
    names = data.feature_names
    if names is None or (len(set(names)) == len(names) and "" not in names):
        return names
    _logger.warning(
        "some columns have no name, or the same: the program keeps no names, and finds features "
        "by their places"
    )
    return None
