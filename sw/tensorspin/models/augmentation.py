"""What training does to samples so that a network does not learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Changes samples at random, anew at each update.

    Attributes
    ----------
    input_noise : float
        Standard deviation of Gaussian noise on each scaled feature.
    max_shift : float
        Images are moved by up to so many pixels along each axis.
    pixels : int array (height, width), optional
        The site that reads each pixel; needed if `max_shift` is not 0.
    """

    input_noise: float = 0.0
    max_shift: float = 0.0
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
        if self.max_shift:
            images = batch[:, self.pixels]
            shifts = rng.uniform(-self.max_shift, self.max_shift, (2, len(batch)))
            batch = np.empty_like(batch)
            batch[:, self.pixels] = shifted(images, *shifts.astype(images.dtype))
        if self.input_noise:
            # Python's number: a NumPy scalar of 64 bits would widen the array.
            noise = rng.standard_normal(batch.shape, dtype=batch.dtype)
            batch = np.clip(batch + float(self.input_noise) * noise, 0, 1)
        return batch


def shifted(images: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Move images by bilinear interpolation; what comes in from outside repeats the edge.

    Parameters
    ----------
    images : float array (n_images, height, width)
    down, right : float arrays (n_images,), in pixels

    Returns
    -------
    float array (n_images, height, width)
    """
    rows = _interpolation(images.shape[1], down)
    columns = _interpolation(images.shape[2], right)
    return rows @ images @ columns.transpose(0, 2, 1)


def _interpolation(length: int, shifts: np.ndarray) -> np.ndarray:
    """Matrices (n, length, length) that move a line of pixels by each of n shifts."""
    places = np.arange(length, dtype=shifts.dtype)
    sources = np.clip(places - shifts[:, None], 0, length - 1)
    return np.maximum(1 - np.abs(sources[:, :, None] - places), 0)
