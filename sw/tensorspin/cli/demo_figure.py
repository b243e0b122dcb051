"""The figure of ``tensorspin demo``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from .figures import pyplot, save_figure

EXAMPLES = 5
"""Number of images that are shown with their scores."""

HALF_CHAIN_COLOURS = ("#3b6ea8", "#c0693b")
"""Colours of the sites left and right of the label tensor."""


def demo_figure(
    path: str | Path,
    *,
    images: np.ndarray,
    truth: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    classes: np.ndarray,
    entropy: np.ndarray,
    label_position: int,
    bond_dims: np.ndarray,
    needed_dims: np.ndarray,
    title: str,
) -> None:
    """Draw the confusion matrix, the entanglement along the chain, and some images with scores.

    The network is a chain of sites, one for each pixel, that a label tensor divides in two halves.
    Neighbouring sites are connected by a bond, an index over which both are summed.

    Parameters
    ----------
    path : str or Path
        File to draw into; its suffix names the format.
    images : ndarray of float64 of shape (n_images, height, width)
        The images that were classified.
    truth : ndarray of shape (n_images,)
        True class of each image.
    predicted : ndarray of shape (n_images,)
        Class that the board found.
    scores : ndarray of int16 of shape (n_images, n_classes)
        Scores as the board returned them; the greatest decides the class.
    classes : ndarray of shape (n_classes,)
        Class of each score.
    entropy : ndarray of float64 of shape (n_sites,)
        Entanglement entropy in bits across each site's bond towards the label tensor: how much of
        the bond the trained network uses.
    label_position : int
        Number of sites in the left half-chain.
    bond_dims : ndarray of int of shape (n_sites,)
        Dimension of the same bonds; its base-2 logarithm bounds the entropy.
    needed_dims : ndarray of int of shape (n_sites,)
        Largest dimension that any function of the features beyond the bond could need.
    title : str
        Heading of the figure.
    """
    plt = pyplot()
    figure = plt.figure(figsize=(12, 8.5), layout="constrained")
    figure.suptitle(title)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    matrix_axes, entropy_axes = upper.subplots(1, 2, width_ratios=(1, 1.4))
    _draw_confusion(matrix_axes, truth, predicted, classes)
    _draw_entropy(entropy_axes, entropy, label_position, bond_dims, needed_dims)

    chosen = _examples(truth, predicted)
    axes = lower.subplots(2, len(chosen), height_ratios=(1, 1), squeeze=False)
    lower.suptitle("Images and their scores on the board (wrong ones first)")
    for column, sample in enumerate(chosen):
        _draw_image(axes[0, column], images[sample], truth[sample], predicted[sample])
        _draw_scores(axes[1, column], scores[sample], classes, truth[sample], predicted[sample])
    save_figure(path, figure)
    plt.close(figure)


def _examples(truth, predicted) -> np.ndarray:
    """Choose images to show, wrong ones first, at least two right ones among them."""
    wrong = np.flatnonzero(truth != predicted)[: EXAMPLES - 2]
    right = np.flatnonzero(truth == predicted)[: EXAMPLES - len(wrong)]
    return np.concatenate([wrong, right])


def _draw_confusion(axes, truth, predicted, classes) -> None:
    matrix = confusion_matrix(truth, predicted, labels=classes)
    axes.imshow(matrix, cmap="Blues")
    for row, column in np.ndindex(matrix.shape):
        if matrix[row, column]:
            dark = matrix[row, column] > matrix.max() / 2
            axes.text(
                column,
                row,
                matrix[row, column],
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
    ticks = range(len(classes))
    axes.set(
        xticks=ticks,
        yticks=ticks,
        xticklabels=classes,
        yticklabels=classes,
        xlabel="class found by the board",
        ylabel="true class",
        title="Confusion matrix",
    )


def _draw_entropy(axes, entropy, label_position, bond_dims, needed_dims) -> None:
    sites = np.arange(len(entropy))
    capacity = np.log2(bond_dims)
    top = 1.15 * max(capacity.max(), entropy.max(), 1)
    # In the middle of the chain the possible dimension grows to 2 to the power of the number of
    # sites; that line is drawn only where it lies within the panel.
    possible = np.log2(needed_dims)
    axes.plot(
        sites,
        np.where(possible <= top, possible, np.nan),
        color="black",
        linestyle=":",
        label="log2 of the most that it could need",
    )
    axes.step(
        sites, capacity, where="mid", color="grey", linestyle="--", label="log2(bond dimension)"
    )
    axes.fill_between(
        sites, entropy, capacity, step="mid", color="grey", alpha=0.15, label="bond not used"
    )
    for half, colour, name in (
        (sites < label_position, HALF_CHAIN_COLOURS[0], "left half-chain"),
        (sites >= label_position, HALF_CHAIN_COLOURS[1], "right half-chain"),
    ):
        axes.plot(sites[half], entropy[half], ".-", color=colour, label=name)
    axes.axvline(label_position - 0.5, color="black", linewidth=0.8, label="label tensor")
    axes.set(
        xlabel="site",
        ylabel="bits",
        title=f"Entanglement along the chain: {np.mean(entropy / np.maximum(capacity, 1)):.0%} of "
        "the bonds' capacity",
        ylim=(0, top),
    )
    axes.legend(fontsize=7, loc="lower center")


def _draw_image(axes, image, truth, predicted) -> None:
    axes.imshow(image, cmap="gray_r")
    axes.set(xticks=[], yticks=[])
    right = truth == predicted
    axes.set_title(
        f"true {truth}, board {predicted}", fontsize=9, color="black" if right else "crimson"
    )


def _draw_scores(axes, scores, classes, truth, predicted) -> None:
    colours = [
        "tab:green" if label == truth else "crimson" if label == predicted else "lightgrey"
        for label in classes
    ]
    axes.bar(range(len(classes)), scores, color=colours)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set(xticks=range(len(classes)), xticklabels=classes, yticks=[])
    axes.tick_params(labelsize=8)
