"""Chains of tensors as other libraries keep them, and how they become those of this package.

A matrix product state may keep the axes of its tensors in any order, leave out the outermost bonds,
and have its label at any site: as a tensor of its own, or as a further axis of a site that also
reads a feature. Here a chain is a list of cores (left_bond, local_dim, right_bond) and a label
tensor (n_outputs, left_bond, right_bond) between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

LEFT, FEATURE, RIGHT, OUTPUT = "l", "p", "r", "o"
"""Letters of the axes: left bond, the feature's components, right bond, outputs (labels)."""

SITE_AXES = LEFT + FEATURE + RIGHT
LABEL_AXES = OUTPUT + LEFT + RIGHT


@dataclass(frozen=True)
class LabelledChain:
    """A chain with a label tensor.

    Parameters
    ----------
    cores : list of ndarray of float64 of shape (left_bond, local_dim, right_bond)
        The core of each site that reads a feature; the outermost bonds are 1.
    label_tensor : ndarray of float64 of shape (n_outputs, left_bond, right_bond)
        The label tensor.
    position : int
        Number of cores to the left of the label tensor, 0 to ``len(cores)``.
    """

    cores: list[np.ndarray]
    label_tensor: np.ndarray
    position: int

    def moved(self, position: int) -> LabelledChain:
        """Return the same network with the label tensor at another place.

        A bond that the label tensor passes then also carries the outputs, so that it may become
        wider by a factor of up to their number.

        Parameters
        ----------
        position : int
            Number of cores to the left of the label tensor, 0 to ``len(cores)``.

        Returns
        -------
        LabelledChain
            The network.
        """
        cores, label = list(self.cores), self.label_tensor
        for site in range(self.position, position):  # to the right
            joined = np.einsum("olr,rps->lpos", label, cores[site])
            cores[site], label = _split(joined)
        for site in range(self.position - 1, position - 1, -1):  # to the left
            joined = np.einsum("kpl,olr->rpok", cores[site], label)
            core, label = _split(joined)
            cores[site], label = core.transpose(2, 1, 0), label.transpose(0, 2, 1)
        return replace(self, cores=cores, label_tensor=label, position=position)


def labelled_chain(
    tensors: Sequence[np.ndarray],
    label: int | np.ndarray | None,
    position: int | None,
    axes: str,
    label_axes: str | None,
) -> LabelledChain:
    """Bring a chain to the form of this package.

    Parameters
    ----------
    tensors : sequence of ndarray of float64
        The tensors in the order of the chain; the outermost ones may lack the outermost bond.
    label : int, ndarray or None
        Which of the tensors has the axis of the outputs; or the label tensor itself; or None for a
        chain with one output, which has no such axis.
    position : int or None
        If `label` is a tensor, the number of tensors to its left; None: half of them.
    axes : str
        Order of the axes of a tensor that reads a feature.
    label_axes : str or None
        Order of the axes of the tensor with the label; None: `axes` with "o" for "p", or with "o"
        behind.

    Returns
    -------
    LabelledChain
        The chain.

    Raises
    ------
    ValueError
        If the axes or the shapes don't fit; the message has the site's number.
    """
    _check_axes(axes, SITE_AXES, "axes")
    n_tensors = len(tensors)
    numbers = [f"tensor {index}" for index in range(n_tensors)]
    if isinstance(label, np.ndarray):
        cores = [_core(site, tensors[site], axes, n_tensors) for site in range(n_tensors)]
        position = n_tensors // 2 if position is None else position
        order = label_axes or LABEL_AXES
        _check_axes(order, LABEL_AXES, "label_axes")
        _check_rank("the label tensor", label, order)
        if not 0 <= position <= n_tensors:
            raise ValueError(f"label_position must be 0 to {n_tensors}, not {position}")
        names = [*numbers[:position], "the label tensor", *numbers[position:]]
        return _checked(LabelledChain(cores, _ordered(label, order, LABEL_AXES), position), names)
    if label is None:
        cores = [_core(site, tensors[site], axes, n_tensors) for site in range(n_tensors)]
        position = n_tensors // 2
        closing = np.eye(cores[position].shape[0])[np.newaxis]
        names = [*numbers[:position], "", *numbers[position:]]
        return _checked(LabelledChain(cores, closing, position), names)
    cores = [
        _core(site, tensors[site], axes, n_tensors) for site in range(n_tensors) if site != label
    ]
    with_label, order = _label_site(label, tensors[label], axes, label_axes, n_tensors)
    if FEATURE not in order:
        label_tensor = _ordered(with_label, order, LABEL_AXES)
        return _checked(LabelledChain(cores, label_tensor, label), numbers)
    core, label_tensor = _split(_ordered(with_label, order, "lpor"))
    cores.insert(label, core)
    names = [*numbers[: label + 1], numbers[label], *numbers[label + 1 :]]
    return _checked(LabelledChain(cores, label_tensor, label + 1), names)


def _checked(chain: LabelledChain, names: Sequence[str]) -> LabelledChain:
    """Return the chain if neighbours have the same bonds, and all sites read vectors alike.

    `names` says for messages what each tensor is, the label tensor among them.
    """
    position = chain.position
    left, right = chain.label_tensor.shape[1:]
    bonds = [core.shape[::2] for core in chain.cores]
    bonds.insert(position, (left, right))
    for name, (outer, _), before, (_, bond) in zip(names[1:], bonds[1:], names, bonds):
        if outer != bond:
            raise ValueError(
                f"{name} has a left bond of {outer}, and its left neighbour, {before}, a right "
                f"bond of {bond}"
            )
    for name, outer in ((names[0], bonds[0][0]), (names[-1], bonds[-1][1])):
        if outer != 1:
            raise ValueError(
                f"{name} has an outer bond of {outer}, which must be 1: chains with periodic "
                f"boundaries are not supported"
            )
    return chain


def _check_axes(axes: str, letters: str, name: str) -> None:
    if not isinstance(axes, str) or sorted(axes) != sorted(letters):
        raise ValueError(f"{name} must be an order of the letters {letters!r}, not {axes!r}")


def _check_rank(what: str, tensor: np.ndarray, axes: str) -> None:
    if tensor.ndim != len(axes):
        raise ValueError(
            f"{what} must have {len(axes)} axes ({axes}), not {tensor.ndim}: its shape is "
            f"{tensor.shape}"
        )


def _core(site: int, tensor: np.ndarray, axes: str, n_tensors: int) -> np.ndarray:
    """Return a core (left_bond, local_dim, right_bond)."""
    completed, order = _completed(tensor, axes, site, n_tensors)
    _check_rank(f"tensor {site}", completed, order)
    return _ordered(completed, order, SITE_AXES)


def _label_site(
    site: int, tensor: np.ndarray, axes: str, label_axes: str | None, n_tensors: int
) -> tuple[np.ndarray, str]:
    """Return the tensor that has the label, with both bonds, and the order of its axes."""
    alone, shared = axes.replace(FEATURE, OUTPUT), axes + OUTPUT
    choices = [alone, shared] if label_axes is None else [label_axes]
    for order in choices:
        if sorted(order) not in (sorted(alone), sorted(shared)):
            raise ValueError(
                f"label_axes must be an order of the letters 'lor', or of 'lpor' if the site with "
                f"the label reads a feature, too, not {label_axes!r}"
            )
        completed, completed_order = _completed(tensor, order, site, n_tensors)
        if completed.ndim != len(order):
            continue
        # At an end, three axes are those of a label with both bonds, of which the outer is 1, or
        # those of a label and a feature with one bond.
        outer = {0: LEFT, n_tensors - 1: RIGHT}.get(site)
        if outer and len(choices) > 1 and order == alone:
            if completed.shape[completed_order.index(outer)] != 1:
                continue
        return completed, completed_order
    wanted = " or ".join(f"{len(order)} axes ({order})" for order in choices)
    raise ValueError(
        f"tensor {site}, which has the label, must have {wanted}, not {tensor.ndim}: its shape is "
        f"{tensor.shape}"
    )


def _completed(tensor: np.ndarray, axes: str, site: int, n_tensors: int) -> tuple[np.ndarray, str]:
    """Add the bond of one that an outermost tensor may lack, as the first axis."""
    outer = LEFT if site == 0 else RIGHT if site == n_tensors - 1 else ""
    if outer and tensor.ndim == len(axes) - 1:
        return tensor[np.newaxis], outer + axes.replace(outer, "")
    return tensor, axes


def _ordered(tensor: np.ndarray, axes: str, wanted: str) -> np.ndarray:
    return tensor.transpose([axes.index(letter) for letter in wanted])


def _split(joined: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a tensor (l, p, o, r) into a core (l, p, bond) and a label tensor (o, bond, r)."""
    left, local_dim, outputs, right = joined.shape
    core, rest = np.linalg.qr(joined.reshape(left * local_dim, outputs * right))
    label = rest.reshape(-1, outputs, right).transpose(1, 0, 2)
    return core.reshape(left, local_dim, -1), label
