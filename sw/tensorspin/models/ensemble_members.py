"""Which networks an ensemble tries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import clone

from ..contract.fixed import WEIGHT
from ..errors import CapacityError
from .classifier import NetworkClassifier
from .mps import MPSClassifier
from .parameters import AUTO, is_auto
from .recipes import FEW_FEATURES

BOND_DIM = 15
"""Largest bond dimension of the automatic members. With the reference, each vector of a program has
one more entry, and boards compute outputs in groups of 8."""

SLOW = {"learning_rate": 0.005, "weight_decay": 0.3}
"""How "smooth" learns from many features, such as the values of a series or the pixels of an
image, as a single network does."""

EPOCHS = (30, 100)
"""Least and most passes over the training data of the automatic members."""

TRAINED_SAMPLES = 300_000
"""How many samples an automatic member is shown in all its passes, if `EPOCHS` allow it. It then
takes about as long to train with 10,000 samples as with 3,000."""


def automatic_members(n_samples: int, n_features: int, **options: Any) -> dict[str, MPSClassifier]:
    """Return the networks that an ensemble tries unless its user names others.

    They differ in what they learn easily: "linear" and "bernstein" in the feature map and in the
    number of sites that read a feature, "quantile" and "smooth" in the scale, and "smooth" by more
    noise. Networks that differ make different errors, which their sum evens out.

    Parameters
    ----------
    n_samples, n_features : int
        Size of the training data. Many samples need less weight decay, and fewer passes over them;
        many features make the networks large enough without repeated sites.
    **options
        Further parameters of all networks. With a ``feature_range`` there is one scale only, and no
        "quantile".

    Returns
    -------
    dict of str to MPSClassifier
        The networks by name, not fitted.
    """
    options = {"epochs": AUTO, "bond_dim": AUTO, **options}
    if is_auto(options["epochs"]):
        least, most = EPOCHS
        options["epochs"] = int(np.clip(TRAINED_SAMPLES / n_samples, least, most))
    if is_auto(options["bond_dim"]):
        options["bond_dim"] = BOND_DIM
    decay = float(np.clip(700 / n_samples, 0.1, 1))
    common = {"learning_rate": 0.01, "weight_decay": decay, "label_smoothing": 0.1, **options}
    free = options.get("feature_range") is None
    scaling = "percentile" if free else "range"
    few, some = n_features <= FEW_FEATURES, n_features <= 64
    curved = {"feature_map": "bernstein", "n_repeats": 2 if few else 1, "input_noise": 0.03}
    if options.get("missing") == "level":
        # A missing value takes a component, and a feature table of four serves all boards.
        curved["local_dim"] = 3
    members = {
        "linear": MPSClassifier(
            feature_map="linear",
            n_repeats=4 if few else 2 if some else 1,
            scaling=scaling,
            input_noise=0.03,
            **common,
        ),
        "bernstein": MPSClassifier(scaling=scaling, **curved, **common),
        "smooth": MPSClassifier(
            feature_map="linear",
            n_repeats=2 if some else 1,
            scaling="range",
            input_noise=0.1,
            **{**common, **({} if some else SLOW)},
        ),
    }
    if free:
        members["quantile"] = MPSClassifier(scaling="quantile", **curved, **common)
    return members


def shrink(
    members: Iterable[NetworkClassifier], X: np.ndarray, y: np.ndarray, board: str, free: bool
) -> None:
    """Let those networks that would not fit a board alone choose smaller bonds and fewer sites.

    Parameters
    ----------
    members : iterable of NetworkClassifier
        Networks that are not fitted; their parameters are changed.
    X, y : ndarray of shape (n_samples, n_features) and (n_samples,)
        The training samples.
    board : str
        Name of the board.
    free : bool
        Whether bonds may be smaller; if not, only fewer sites may read a feature.
    """
    for member in members:
        try:
            # With `weight_bits` the check is one for weights of 8 bits.
            alone = clone(member).set_params(weight_bits=WEIGHT.width, board=board)
            alone.check_capacity(X, y, board=board)
        except CapacityError:
            member.set_params(board=board, n_repeats=AUTO)
            if free:
                member.set_params(bond_dim=AUTO)


def named_members(members: Any) -> list[tuple[str, NetworkClassifier]]:
    """Return the members that a user gives, with their names.

    Parameters
    ----------
    members : object
        The parameter of an `EnsembleClassifier`, if it is not "auto".

    Returns
    -------
    list of (str, NetworkClassifier)
        The members. Those without a name are called by their number.

    Raises
    ------
    ValueError
        If there is none, if names are the same, or if they can't be joined to one program.
    TypeError
        If one of them is no classifier of Tensorspin.
    """
    if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
        raise ValueError(f'members must be "auto" or a list of classifiers, not {members!r}')
    pairs: list[tuple[str, Any]] = []
    for number, item in enumerate(members):
        named = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
        pairs.append(item if named else (f"network {number}", item))
    if not pairs:
        raise ValueError("members must hold at least one classifier, not none")
    for _, member in pairs:
        if not isinstance(member, NetworkClassifier):
            described = repr(member) if isinstance(member, str) else type(member).__name__
            raise TypeError(
                f"members must be MPSClassifier or TTNClassifier, not {described}: only a tensor "
                f"network runs on a board"
            )
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"members must have different names, not {names}")
    if len({member.feature_range is None for _, member in pairs}) > 1:
        raise ValueError(
            "either all members or none must have a feature_range: one program can't both clip and "
            "refuse values outside"
        )
    return pairs
