"""Random changes of the samples while training, so that a network does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

CONTROL_POINTS = 4
"""Number of points along each axis of an image whose random displacements make a distortion.

So few points bend a stroke as a whole; more points would ripple it."""

BUMP_WIDTH = 0.7
"""Standard deviation of a control point's influence, in distances between control points."""


@dataclass(frozen=True)
class Augmentation:
    """Changes samples at random, anew at each update.

    Parameters
    ----------
    input_noise : float
        Standard deviation of Gaussian noise on each scaled feature.
    max_shift : float
        Largest distance, in pixels, by which an image is moved along each axis.
    distortion : float
        Root mean square, in pixels, of the smooth random field by which the pixels of an image are
        displaced along each axis.
    pixels : ndarray of int of shape (copies, height, width) or (height, width), optional
        The sites that read each pixel. Needed if `max_shift` or `distortion` is not 0.
    """

    input_noise: float = 0.0
    max_shift: float = 0.0
    distortion: float = 0.0
    pixels: np.ndarray | None = None

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change copies of samples.

        Parameters
        ----------
        batch : ndarray of float32 of shape (n_samples, n_sites)
            Scaled features in [0, 1], in the order of the sites.
        rng : numpy.random.Generator
            Source of shifts, fields and noise.

        Returns
        -------
        ndarray of float32 of shape (n_samples, n_sites)
            Changed features, in [0, 1] again.
        """
        if self.pixels is not None and (self.max_shift or self.distortion):
            size = self.pixels.shape[-2:]
            copies = self.pixels.reshape(-1, *size)
            images = batch[:, copies[0]]
            shape = (2, len(batch), 1, 1)
            displacements = rng.uniform(-self.max_shift, self.max_shift, shape).astype(batch.dtype)
            if self.distortion:
                fields = random_fields(size, 2 * len(batch), rng)
                displacements = displacements + self.distortion * fields.reshape(2, *images.shape)
            # Sites read pixels in any order: images are taken apart and put back by `pixels`.
            batch = np.empty_like(batch)
            batch[:, copies] = displaced(images, *displacements)[:, None]
        if self.input_noise:
            # float() makes a number of Python: a NumPy scalar of 64 bits would widen the array.
            noise = rng.standard_normal(batch.shape, dtype=batch.dtype)
            noise *= float(self.input_noise)
            noise += batch
            batch = np.clip(noise, 0, 1, out=noise)
        return batch


def random_fields(size: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw smooth random fields over an image: Gaussian values at a few points, interpolated.

    Displacements by such fields are elastic distortions (Simard, Steinkraus and Platt 2003, Best
    Practices for Convolutional Neural Networks), here with so few points that fields of any image
    are a small matrix product.

    Parameters
    ----------
    size : (int, int)
        Height and width of the image in pixels.
    count : int
        Number of fields.
    rng : numpy.random.Generator
        Source of the values at the points.

    Returns
    -------
    ndarray of float32 of shape (count, height, width)
        The fields, of mean 0 and root mean square 1.
    """
    points = rng.standard_normal((count, CONTROL_POINTS**2), dtype=np.float32)
    return (points @ _influences(*size)).reshape(count, *size)


@cache
def _influences(height: int, width: int) -> np.ndarray:
    """Compute the influence of each control point on each pixel.

    The result is an ndarray of float32 of shape (CONTROL_POINTS**2, height * width). It is cached,
    because all updates of a training need the same one.
    """
    rows, columns = (_along_axis(length) for length in (height, width))
    influences = np.einsum("ay,bx->abyx", rows, columns).reshape(CONTROL_POINTS**2, -1)
    # The variance of a field is 1 on average over the image, whatever its size.
    influences /= np.sqrt(np.mean((influences**2).sum(axis=0)))
    return influences.astype(np.float32)


def _along_axis(length: int) -> np.ndarray:
    """Compute the shares of an axis's control points at each of its places; they sum up to 1."""
    places = np.linspace(0, CONTROL_POINTS - 1, length)
    distances = places - np.arange(CONTROL_POINTS)[:, None]
    bumps = np.exp(-0.5 * (distances / BUMP_WIDTH) ** 2)
    return bumps / bumps.sum(axis=0)


def displaced(images: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Displace pixels by bilinear interpolation; what comes in from outside repeats the edge.

    Parameters
    ----------
    images : ndarray of float of shape (n_images, height, width)
        The images.
    down, right : ndarray of float
        How far, in pixels, what is seen at each pixel has moved; they broadcast to the shape of
        `images`.

    Returns
    -------
    ndarray of float of shape (n_images, height, width)
        The displaced images, in the dtype of `images`.
    """
    n_images, height, width = images.shape
    # Coordinates have the dtype of the images: integers would widen float32 to float64.
    rows, columns = (np.arange(length, dtype=images.dtype) for length in (height, width))
    above, below_share, row_step = _neighbours(height, width, rows[:, None] - down)
    left, right_share, column_step = _neighbours(width, 1, columns - right)
    # Images lie one behind the other in one flat array, from which all pixels are taken at once.
    starts = height * width * np.arange(n_images)[:, None, None]
    corners = starts + above + left
    upper, lower = (
        _between(images, start, start + column_step, right_share)
        for start in (corners, corners + row_step)
    )
    upper += below_share * (lower - upper)
    return upper


def _neighbours(length: int, stride: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Find the pixels around each place of an axis.

    Returns the index of the pixel before a place in the flat array, the share of the pixel after
    it, and the distance of the two pixels in the flat array.
    """
    places = np.clip(places, 0, length - 1)
    before = np.minimum(places.astype(np.intp), max(length - 2, 0))
    share = np.subtract(places, before, dtype=places.dtype)
    return before * stride, share, stride if length > 1 else 0


def _between(
    images: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """Interpolate between pixels, given by their indices in the flat array."""
    values = images.take(first)
    values += share * (images.take(second) - values)
    return values
