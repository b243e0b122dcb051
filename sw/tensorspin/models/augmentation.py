"""What training does to samples so that a network does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

CONTROL_POINTS = 4
"""Along each axis of an image, the points whose random displacements make a distortion."""

BUMP_WIDTH = 0.7
"""Standard deviation of a control point's influence, in distances between control points."""


@dataclass(frozen=True)
class Augmentation:
    """Changes samples at random, anew at each update.

    Attributes
    ----------
    input_noise : float
        Standard deviation of Gaussian noise on each scaled feature.
    max_shift : float
        Images are moved by up to so many pixels along each axis.
    distortion : float
        Pixels of images are displaced along each axis, by a smooth random field of this root mean
        square.
    pixels : int array (height, width), optional
        The site that reads each pixel; needed if `max_shift` or `distortion` is not 0.
    """

    input_noise: float = 0.0
    max_shift: float = 0.0
    distortion: float = 0.0
    pixels: np.ndarray | None = None

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changed copies of samples.

        Parameters
        ----------
        batch : float32 array (n_samples, n_sites), values in [0, 1]
        rng : numpy.random.Generator

        Returns
        -------
        float32 array (n_samples, n_sites), values in [0, 1]
        """
        if self.max_shift or self.distortion:
            images = batch[:, self.pixels]
            shape = (2, len(batch), 1, 1)
            displacements = rng.uniform(-self.max_shift, self.max_shift, shape).astype(batch.dtype)
            if self.distortion:
                fields = random_fields(self.pixels.shape, 2 * len(batch), rng)
                displacements = displacements + self.distortion * fields.reshape(2, *images.shape)
            batch = np.empty_like(batch)
            batch[:, self.pixels] = displaced(images, *displacements)
        if self.input_noise:
            # Python's number: a NumPy scalar of 64 bits would widen the array.
            noise = rng.standard_normal(batch.shape, dtype=batch.dtype)
            batch = np.clip(batch + float(self.input_noise) * noise, 0, 1)
        return batch


def random_fields(size: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth random fields over an image: Gaussian displacements of a few points, interpolated.

    Displacements by such fields are elastic distortions (Simard, Steinkraus and Platt 2003, Best
    Practices for Convolutional Neural Networks), here with so few points that fields of any image
    are a small matrix product.

    Parameters
    ----------
    size : (height, width)
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    float32 array (count, height, width)
        Of mean 0 and root mean square 1.
    """
    points = rng.standard_normal((count, CONTROL_POINTS**2), dtype=np.float32)
    return (points @ _influences(*size)).reshape(count, *size)


@cache
def _influences(height: int, width: int) -> np.ndarray:
    """Influence of each control point on each pixel: (CONTROL_POINTS**2, height * width)."""
    rows, columns = (_along_axis(length) for length in (height, width))
    influences = np.einsum("ay,bx->abyx", rows, columns).reshape(CONTROL_POINTS**2, -1)
    influences /= np.sqrt(np.mean((influences**2).sum(axis=0)))
    return influences.astype(np.float32)


def _along_axis(length: int) -> np.ndarray:
    """Shares of the control points at each of the places of an axis, which sum up to 1."""
    places = np.linspace(0, CONTROL_POINTS - 1, length)
    distances = places - np.arange(CONTROL_POINTS)[:, None]
    bumps = np.exp(-0.5 * (distances / BUMP_WIDTH) ** 2)
    return bumps / bumps.sum(axis=0)


def displaced(images: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Displace pixels by bilinear interpolation; what comes in from outside repeats the edge.

    Parameters
    ----------
    images : float array (n_images, height, width)
    down, right : float arrays that broadcast to the shape of images
        How far, in pixels, what is seen at each pixel has come.

    Returns
    -------
    float array (n_images, height, width), of the dtype of images
    """
    n_images, height, width = images.shape
    # Of the images' dtype: integers would widen float32.
    rows, columns = (np.arange(length, dtype=images.dtype) for length in (height, width))
    above, below_share, row_step = _neighbours(height, width, rows[:, None] - down)
    left, right_share, column_step = _neighbours(width, 1, columns - right)
    starts = height * width * np.arange(n_images)[:, None, None]
    corners = starts + above + left
    upper, lower = (
        _between(images, start, start + column_step, right_share)
        for start in (corners, corners + row_step)
    )
    upper += below_share * (lower - upper)
    return upper


def _neighbours(length, stride, places):
    """Index of the pixel before each place, the share of the pixel after it, and the way there."""
    places = np.clip(places, 0, length - 1)
    before = np.minimum(places.astype(np.intp), max(length - 2, 0))
    share = np.subtract(places, before, dtype=places.dtype)
    return before * stride, share, stride if length > 1 else 0


def _between(images, first, second, share):
    """Values between pixels, given by their indices in the flat array."""
    values = images.take(first)
    values += share * (images.take(second) - values)
    return values
