"""Shapes of the tensors of a chain: how wide each bond is."""

from __future__ import annotations

Shape = tuple[int, ...]


def bond_dimensions(n_sites: int, label_position: int, local_dim: int, bond_dim: int) -> list[int]:
    """Return the dimension of the bond on the label tensor's side of each site.

    A bond cannot carry more than ``local_dim ** distance`` independent components, where distance
    counts the sites between it and its end of the chain.

    Parameters
    ----------
    n_sites : int
        Length of the chain.
    label_position : int
        Number of sites in the left half-chain.
    local_dim : int
        Number of components of a feature vector.
    bond_dim : int
        Largest bond dimension.

    Returns
    -------
    list of int
        One dimension per site.
    """
    distances = [site + 1 if site < label_position else n_sites - site for site in range(n_sites)]
    # Beyond 16 sites any local dimension of 2 or more has passed every supported bond dimension.
    return [min(bond_dim, local_dim ** min(distance, 16)) for distance in distances]


def chain_shapes(
    n_sites: int,
    label_position: int,
    local_dim: int,
    bond_dim: int,
    n_outputs: int,
    identity_ends: bool = False,
) -> tuple[list[Shape], Shape]:
    """Return the shapes of all tensors of a chain.

    Parameters
    ----------
    n_sites, label_position, local_dim, bond_dim
        Lengths and dimensions of the chain, as for `bond_dimensions`.
    n_outputs : int
        Number of scores.
    identity_ends : bool
        Whether the outermost bonds must have room for a whole feature vector, so that the outermost
        cores can be identities.

    Returns
    -------
    core_shapes : list of (int, int, int)
        Shape (left_bond, local_dim, right_bond) of each core.
    label_shape : (int, int, int)
        Shape (n_outputs, left_bond, right_bond) of the label tensor.
    """
    bonds = bond_dimensions(n_sites, label_position, local_dim, bond_dim)
    if identity_ends:
        bonds[0] = bonds[-1] = local_dim
    outer = [1, *bonds[: label_position - 1]] + [*bonds[label_position + 1 :], 1]
    shapes: list[Shape] = [
        (outside, local_dim, inside) if site < label_position else (inside, local_dim, outside)
        for site, (outside, inside) in enumerate(zip(outer, bonds))
    ]
    return shapes, (n_outputs, bonds[label_position - 1], bonds[label_position])
