"""The shape of a spatial engine's network, and the widths of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

MAX_INPUTS = 64
"""Features that a sample may have: twice as many as the multipliers of any device in the table of
boards have room for."""

MAX_NODES = 40
"""Nodes that a tree may have: the description of more would not fit into the reply to HELLO."""

MAX_OUTPUTS = 64
"""Greatest number of entries of a node's vector, and of scores."""

MAX_COMPONENTS = 16
"""Greatest number of entries of the vector that a feature is mapped to."""

VALUE_BITS = (8, 18)
"""Least and greatest width of vectors' entries; the multipliers of an ECP5 take 18 bits."""

WEIGHT_BITS = (3, 8)
"""Least and greatest width of weights; a program's own weights have 8 bits."""

_FIELD_BITS = 8
"""Bits of each of the three numbers that make a node."""


@dataclass(frozen=True)
class TreeNode:
    """One node of a tree: it joins two vectors to one.

    Parameters
    ----------
    left, right : int
        The node's children: a number below the number of features is that feature, another one is
        the node of that number minus the number of features. At most one is a feature unless both
        are, and then it is the right one.
    outputs : int
        Entries of the node's vector.

    Examples
    --------
    >>> TreeNode.unpack(TreeNode(left=4, right=5, outputs=3).packed)
    TreeNode(left=4, right=5, outputs=3)
    """

    left: int
    right: int
    outputs: int

    @property
    def packed(self) -> int:
        """The node as one number, as descriptions carry it."""
        return self.left | self.right << _FIELD_BITS | self.outputs << 2 * _FIELD_BITS

    @classmethod
    def unpack(cls, packed: int) -> TreeNode:
        """Read a packed node: the inverse of `packed`.

        Parameters
        ----------
        packed : int
            A number of 24 bits.

        Returns
        -------
        TreeNode
            The node.
        """
        mask = (1 << _FIELD_BITS) - 1
        return cls(packed & mask, packed >> _FIELD_BITS & mask, packed >> 2 * _FIELD_BITS)


@dataclass(frozen=True)
class SpatialSize:
    """Parameters of a spatial engine.

    Parameters
    ----------
    inputs : int
        Features of a sample.
    components : int
        Entries of the vector that a feature is mapped to.
    value_bits : int
        Width of the entries of tables and vectors.
    weight_bits : int
        Width of the weights with which the product of two vectors is multiplied.
    multipliers : int
        Hardware multipliers that the engine may take. Products beyond them are made of look-up
        tables, with the same results in the same time.
    nodes : tuple of int
        The tree: each node's `TreeNode.packed`, children before parents, the root last.

    Raises
    ------
    ValueError
        If a number is out of its range, or the nodes are no tree.

    Examples
    --------
    Four features, bond dimension 4, three scores:

    >>> size = SpatialSize.of_tree(4, [(0, 1, 4), (2, 3, 4), (4, 5, 3)], components=2)
    >>> size.outputs, size.shape_text
    (3, '4 features of 2 components, ((0 1)4 (2 3)4)3')
    """

    inputs: int
    components: int
    value_bits: int
    weight_bits: int
    multipliers: int
    nodes: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, least, most in (
            ("inputs", 1, MAX_INPUTS),
            ("components", 1, MAX_COMPONENTS),
            ("value_bits", *VALUE_BITS),
            ("weight_bits", *WEIGHT_BITS),
            ("multipliers", 0, 1 << 16),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise ValueError(f"{name} must be {least} to {most}, not {value}")
        if not 1 <= len(self.nodes) <= MAX_NODES:
            raise ValueError(f"a tree must have 1 to {MAX_NODES} nodes, not {len(self.nodes)}")
        self._check_tree()

    def _check_tree(self) -> None:
        read: set[int] = set()
        for index, node in enumerate(self.tree):
            for child in (node.left, node.right):
                if child >= self.inputs + index:
                    raise ValueError(
                        f"node {index} reads node {child - self.inputs}, which does not stand "
                        f"before it"
                    )
                if child in read and child >= self.inputs:
                    raise ValueError(f"node {child - self.inputs} is read twice, not once")
                read.add(child)
            if node.left < self.inputs <= node.right:
                raise ValueError(f"node {index} must have the vector left of the feature")
            if not 1 <= node.outputs <= MAX_OUTPUTS:
                raise ValueError(
                    f"node {index} must have 1 to {MAX_OUTPUTS} outputs, not {node.outputs}"
                )
        unread = set(range(self.inputs, self.inputs + len(self.nodes) - 1)) - read
        if unread:
            raise ValueError(f"node {min(unread) - self.inputs} is read by no other node")

    @classmethod
    def of_tree(
        cls,
        inputs: int,
        nodes: Sequence[tuple[int, int, int]],
        *,
        components: int,
        value_bits: int = 16,
        weight_bits: int = 8,
        multipliers: int = 0,
    ) -> SpatialSize:
        """Make a size from a tree whose nodes are three numbers each.

        Parameters
        ----------
        inputs : int
            Features of a sample.
        nodes : sequence of (int, int, int)
            Left child, right child and outputs of each node; see `TreeNode`.
        components, value_bits, weight_bits, multipliers : int
            As for the class.

        Returns
        -------
        SpatialSize
            The size.
        """
        limit = 1 << _FIELD_BITS
        for node in nodes:
            if len(node) != 3 or not all(isinstance(n, int) and 0 <= n < limit for n in node):
                raise ValueError(f"a node must be three integers of 0 to {limit - 1}, not {node}")
        packed = tuple(TreeNode(*node).packed for node in nodes)
        return cls(inputs, components, value_bits, weight_bits, multipliers, packed)

    @cached_property
    def tree(self) -> tuple[TreeNode, ...]:
        """The nodes, children before parents."""
        return tuple(map(TreeNode.unpack, self.nodes))

    @property
    def outputs(self) -> int:
        """Scores of a sample."""
        return self.tree[-1].outputs

    @property
    def features(self) -> int:
        """Levels for which the engine has addresses, a power of two."""
        return max(2, 1 << (self.inputs - 1).bit_length())

    @property
    def groups(self) -> int:
        """Samples that are computed side by side; those in the pipeline do not count."""
        return 1

    @property
    def single_drain(self) -> int:
        """As for a contractor; there are no groups that could share a sample."""
        return 0

    @property
    def signature(self) -> int:
        """As for a contractor; a network is not read again for each sample."""
        return 0

    @property
    def protected(self) -> int:
        """As for a contractor; weights are not stored as a program has them."""
        return 0

    @property
    def resident(self) -> int:
        """As for a contractor; the memory holds one network."""
        return 0

    def is_feature(self, child: int) -> bool:
        """Tell whether a child is a feature, not a node.

        Parameters
        ----------
        child : int
            A child, as of `TreeNode`.

        Returns
        -------
        bool
            Whether it is a feature.
        """
        return child < self.inputs

    def child_size(self, child: int) -> int:
        """Count the entries of a child's vector.

        Parameters
        ----------
        child : int
            A child, as of `TreeNode`.

        Returns
        -------
        int
            Its entries.
        """
        return self.components if child < self.inputs else self.tree[child - self.inputs].outputs

    @property
    def shape(self) -> tuple[int, int, tuple[int, ...]]:
        """What a network must have in common with the engine: features, components, nodes."""
        return self.inputs, self.components, self.nodes

    @property
    def shape_text(self) -> str:
        """The shape for messages: features by number, and the outputs behind each pair."""
        texts = [str(feature) for feature in range(self.inputs)]
        for node in self.tree:
            texts.append(f"({texts[node.left]} {texts[node.right]}){node.outputs}")
        return f"{self.inputs} features of {self.components} components, {texts[-1]}"
