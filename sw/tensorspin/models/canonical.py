"""Canonical form of a matrix product state with a label tensor, its spectra and its truncation.

The same model can be written with many sets of cores: a matrix multiplied into one core and its
inverse into the next change nothing. The canonical form is the choice in which every core is an
isometry (its columns are orthonormal) towards the label tensor, the centre. Cutting a bond then
splits the whole network into two orthonormal sets of vectors, weighted by singular values, the
Schmidt spectrum of the bond: they tell how much each component of the bond matters, and dropping
the least of them is the best narrowing of that bond.

The network is taken as one tensor with an axis per site (the components of its feature vector) and
one for the label. QR sweeps from both ends make the cores isometries; singular value decompositions
from the centre outwards then give the spectra (Schollwoeck 2011, arXiv:1008.3477, sections 4.4 to
4.6). Tensors are normalised on the way and the logarithm of their norm is kept, so that chains of
any length stay finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RELATIVE_ROUNDING = 1e-14
"""Share of a bond's largest singular value below which another is a rounding error of float64."""


@dataclass
class CanonicalChain:
    """A matrix product state in canonical form with the label tensor as its centre.

    Parameters
    ----------
    left, right : list of ndarray of float64 of shape (outer_bond, local_dim, inner_bond)
        Cores of the half-chains, each from its end of the chain to the label tensor. They are
        isometries: ``sum over o, p of core[o, p, i] * core[o, p, j]`` is 1 for i = j, else 0.
    centre : ndarray of float64 of shape (n_outputs, left_bond, right_bond)
        The label tensor, of norm 1.
    log_norm : float
        Natural logarithm of the norm of the whole tensor.
    """

    left: list[np.ndarray]
    right: list[np.ndarray]
    centre: np.ndarray
    log_norm: float

    @classmethod
    def of(
        cls, cores: Sequence[np.ndarray], label_tensor: np.ndarray, label_position: int
    ) -> CanonicalChain:
        """Bring a network to canonical form.

        Parameters
        ----------
        cores : sequence of ndarray of float of shape (left_bond, local_dim, right_bond)
            The core of each site.
        label_tensor : ndarray of float of shape (n_outputs, left_bond, right_bond)
            The tensor that joins the half-chains.
        label_position : int
            Number of sites in the left half-chain, 1 to n_sites - 1.

        Returns
        -------
        CanonicalChain
            The same network.

        Raises
        ------
        ValueError
            If the label position is out of range, or the network is zero or not finite.
        """
        n_sites = len(cores)
        if not 1 <= label_position < n_sites:
            raise ValueError(f"label_position must be 1 to {n_sites - 1}, not {label_position}")
        cores = [np.asarray(core, dtype=float) for core in cores]
        left, left_carry, left_log = _orthogonalised(cores[:label_position])
        # The right half-chain is mirrored, so that one routine serves both.
        mirrored = [core.transpose(2, 1, 0) for core in reversed(cores[label_position:])]
        right, right_carry, right_log = _orthogonalised(mirrored)
        label, label_log = _normalised(np.asarray(label_tensor, dtype=float))
        centre, centre_log = _normalised(
            np.einsum("la,kab,rb->klr", left_carry, label, right_carry)
        )
        return cls(left, right, centre, left_log + right_log + label_log + centre_log)

    def cores(self) -> list[np.ndarray]:
        """Return the cores (left_bond, local_dim, right_bond) in the order of the chain."""
        return [*self.left, *(core.transpose(2, 1, 0) for core in reversed(self.right))]

    def spectra(self) -> list[np.ndarray]:
        """Compute the Schmidt spectrum at each bond: singular values, the greatest first.

        Returns
        -------
        list of ndarray of float64 of shape (bond,)
            Entry i belongs to the bond of site i on the side of the label tensor. The squares of
            each array sum to 1.
        """
        return self._swept(len)[1]

    def truncated(
        self, max_bond: int | None = None, tolerance: float = 0.0
    ) -> tuple[CanonicalChain, np.ndarray]:
        """Keep the greatest singular values at each bond only.

        Every bond is projected onto the space of its greatest singular values, the bonds next to
        the label tensor first. The relative squared norm of what is lost is at most the sum of the
        discarded weights: each projection acts on what the ones before it left.

        Parameters
        ----------
        max_bond : int, optional
            Largest number of values kept at a bond.
        tolerance : float
            Largest discarded weight of a bond that does not reach `max_bond`.

        Returns
        -------
        chain : CanonicalChain
            The narrower chain. Its cores are isometries but for the truncation.
        discarded : ndarray of float64 of shape (n_sites,)
            Discarded weight at each bond: the share of the squared singular values that was
            dropped. Ordered as `spectra`.
        """

        def kept(values: np.ndarray) -> int:
            # weights[n]: what is discarded if n values are kept.
            weights = np.append(np.cumsum((values**2)[::-1])[::-1], 0)
            enough = int(np.argmax(weights <= tolerance))
            genuine = int(np.sum(values > RELATIVE_ROUNDING * values[0]))
            return max(1, min(enough, genuine, max_bond or enough))

        # What `kept` chose while sweeping, it chooses again from the same spectra.
        chain, spectra = self._swept(kept)
        discarded = np.array([np.sum(values[kept(values) :] ** 2) for values in spectra])
        return chain, discarded

    def _swept(self, kept: Callable[[np.ndarray], int]) -> tuple[CanonicalChain, list[np.ndarray]]:
        """Bring each bond to its Schmidt basis; return the chain and the spectra before truncation.

        `kept` is called with the singular values of a bond and returns how many of them to keep.
        """
        _, n_left, n_right = self.centre.shape
        left, left_basis, left_spectra = _sweep_outwards(
            self.left, self.centre.transpose(1, 0, 2).reshape(n_left, -1), kept
        )
        right, right_basis, right_spectra = _sweep_outwards(
            self.right, self.centre.transpose(2, 0, 1).reshape(n_right, -1), kept
        )
        centre, centre_log = _normalised(
            np.einsum("la,klr,rb->kab", left_basis, self.centre, right_basis)
        )
        chain = CanonicalChain(left, right, centre, self.log_norm + centre_log)
        return chain, left_spectra[::-1] + right_spectra


def _orthogonalised(cores: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray, float]:
    """Make the cores of a half-chain isometries.

    Returns the isometries, the matrix (bond of the last isometry, bond of the label tensor) that is
    left over, normalised, and the natural logarithm of the norm that was divided out of it.
    """
    carry, log_norm = np.ones((1, 1)), 0.0
    isometries = []
    for core in cores:
        # What is not orthonormal in a core is carried into the next one, and so to the centre.
        core = np.tensordot(carry, core, axes=1)
        outer, local_dim, inner = core.shape
        isometry, carry = np.linalg.qr(core.reshape(outer * local_dim, inner))
        isometries.append(isometry.reshape(outer, local_dim, -1))
        carry, log_scale = _normalised(carry)
        log_norm += log_scale
    return isometries, carry, log_norm


def _sweep_outwards(
    isometries: list[np.ndarray], centre: np.ndarray, kept: Callable[[np.ndarray], int]
) -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
    """Rotate each bond of a half-chain to its Schmidt basis, from the label tensor to the end.

    ``centre`` is the label tensor as a matrix (bond, everything else). Returns the rotated cores in
    their order, the basis (bond, kept values) for the label tensor, and the spectra from the label
    tensor to the end of the chain.
    """
    rotated: list[np.ndarray] = []
    bases: list[np.ndarray] = []
    spectra: list[np.ndarray] = []
    for core in reversed(isometries):
        vectors, values, _ = np.linalg.svd(centre, full_matrices=False)
        values = values / np.linalg.norm(values)
        spectra.append(values)
        vectors = vectors[:, : kept(values)]
        bases.append(vectors)
        if rotated:
            # The core that was rotated just before shares this bond, so its axis is rotated, too.
            rotated[-1] = np.tensordot(vectors.T, rotated[-1], axes=1)
        rotated.append(np.tensordot(core, vectors, axes=1))
        # This core, weighted by the singular values, is the centre as the next bond sees it.
        centre = (rotated[-1] * values[: vectors.shape[1]]).reshape(len(core), -1)
    return rotated[::-1], bases[0], spectra


def _normalised(tensor: np.ndarray) -> tuple[np.ndarray, float]:
    """Divide a tensor by its norm; return it and the natural logarithm of the norm."""
    norm = np.linalg.norm(tensor)
    if not np.isfinite(norm) or norm == 0:
        raise ValueError(f"the network has norm {norm}; its canonical form is undefined")
    return tensor / norm, float(np.log(norm))
