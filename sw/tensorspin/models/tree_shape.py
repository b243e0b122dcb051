"""Binary trees over features.

A tree tensor network contracts the features' vectors pair by pair, as a binary tree says. A tree is
an array ``children`` of int of shape (n_leaves - 1, 2): left and right child of each node, children
before their parents, the root last. Values below ``n_leaves`` are leaves; ``n_leaves + i`` is node
i. This is the convention of `sklearn.cluster` and `scipy.cluster.hierarchy`, whose trees can be
used as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral

import numpy as np

from ..compiler.tree import check_children


def balanced_tree(order: np.ndarray) -> np.ndarray:
    """Build a tree as shallow as can be.

    Each node halves its leaves; the left half may have one more.

    Parameters
    ----------
    order : ndarray of int of shape (n_leaves,)
        The leaves from left to right: a permutation of 0 to n_leaves - 1.

    Returns
    -------
    ndarray of int of shape (n_leaves - 1, 2)
        The children of each node.
    """

    def halves(leaves):
        middle = (len(leaves) + 1) // 2
        return leaves[:middle], leaves[middle:]

    return _split_tree(np.asarray(order), halves)


def image_tree(height: int, width: int) -> np.ndarray:
    """Build a tree over the pixels of an image in which each node halves its rectangle.

    The longer side is halved, so that for a square with a side of a power of two the leaves stand
    in Morton order and each node joins a square or two squares.

    Parameters
    ----------
    height, width : int
        Size of the image. Leaf ``row * width + column`` is a pixel.

    Returns
    -------
    ndarray of int of shape (height * width - 1, 2)
        The children of each node.
    """

    def halves(pixels):
        height, width = pixels.shape
        if height >= width:
            return pixels[: (height + 1) // 2], pixels[(height + 1) // 2 :]
        return pixels[:, : (width + 1) // 2], pixels[:, (width + 1) // 2 :]

    return _split_tree(np.arange(height * width).reshape(height, width), halves)


def _split_tree(
    leaves: np.ndarray, halves: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Build a tree from the rule that splits an array of leaves in two."""
    children = []

    # Recursion is as deep as the tree, and that is 10 levels for 1,024 leaves.
    def build(part):
        if part.size == 1:
            return int(part.item())
        left, right = halves(part)
        children.append((build(left), build(right)))
        return leaves.size + len(children) - 1

    build(leaves)
    return np.array(children, dtype=int).reshape(-1, 2)  # a single leaf has no nodes


def users_tree(tree, n_features: int) -> np.ndarray:
    """Check the tree that a user gives, and bring it to the form of this module.

    Parameters
    ----------
    tree : nested pairs of int, or ndarray of int of shape (n_features - 1, 2)
        Pairs such as ``((0, 1), (2, (3, 4)))`` hold the indices of the features. An array is taken
        as the children of each node.
    n_features : int
        Number of leaves.

    Returns
    -------
    ndarray of int of shape (n_features - 1, 2)
        The children of each node.

    Raises
    ------
    ValueError
        If a feature is missing, unknown or repeated, something is neither a pair nor an integer,
        or a node is among its own children.
    """
    if isinstance(tree, np.ndarray):
        check_children(tree)
        if len(tree) != n_features - 1:
            raise ValueError(f"tree has {len(tree) + 1} leaves, X has {n_features} features")
        return tree.astype(int)
    children: list[tuple[int, int]] = []
    seen: set[int] = set()
    finished: list[int] = []
    # A stack instead of recursion: a chain of 1,024 features is 1,023 pairs deep, beyond Python's
    # limit. A pair is met twice, before its children and, with True beside it, after them.
    stack = [(tree, False)]
    open_pairs: set[int] = set()
    while stack:
        item, both_done = stack.pop()
        if both_done:
            open_pairs.remove(id(item))
            right, left = finished.pop(), finished.pop()
            children.append((left, right))
            finished.append(n_features + len(children) - 1)
        elif isinstance(item, (tuple, list)):
            if len(item) != 2:
                raise ValueError(
                    f"each node of tree must be a pair, not a {type(item).__name__} of length "
                    f"{len(item)}"
                )
            if id(item) in open_pairs:
                raise ValueError("tree has a loop: a pair is among its own children")
            open_pairs.add(id(item))
            stack += [(item, True), (item[1], False), (item[0], False)]
        elif isinstance(item, Integral) and not isinstance(item, bool):
            feature = int(item)
            if not 0 <= feature < n_features:
                raise ValueError(f"tree has feature {item}, X has 0 to {n_features - 1}")
            if feature in seen:
                raise ValueError(f"tree has feature {item} twice")
            seen.add(feature)
            finished.append(feature)
        else:
            raise ValueError(
                "tree must be made of pairs and of integers, the indices of the features, not a "
                f"{type(item).__name__}"
            )
    missing = sorted(set(range(n_features)) - seen)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(f"tree lacks feature {missing[0]}{more}")
    if not children:
        raise ValueError("tree must be a pair, not one feature")
    return np.array(children)
