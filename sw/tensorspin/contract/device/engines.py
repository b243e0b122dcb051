"""All engines that a device can have, and the engines that one device has.

`ENGINES` is the list: a new engine adds its row there, and descriptions, board rows, requests and
memory spaces follow from it. `Engines` holds the sizes of one device's engines by `EngineKind`; an
engine that the device lacks is simply not in the mapping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from ..annealer.engine import ANNEALER
from ..annealer.size import AnnealerSize
from ..contractor.engine import CONTRACTOR
from ..contractor.size import ContractorSize
from ..engine import Engine, EngineSize, Size
from ..spatial.engine import SPATIAL
from ..spatial.size import SpatialSize

ENGINES: dict[int, Engine[Any]] = {row.kind: row for row in (CONTRACTOR, ANNEALER, SPATIAL)}
"""All engines that a device can have, by `EngineKind`."""


def engine_of(size: EngineSize | type[EngineSize]) -> Engine[Any]:
    """Find the engine that a size belongs to.

    Parameters
    ----------
    size : EngineSize or type
        An engine's size, such as a `ContractorSize`, or the class itself.

    Returns
    -------
    Engine
        Its row in `ENGINES`.

    Raises
    ------
    TypeError
        If it is the size of no engine in `ENGINES`.

    Examples
    --------
    >>> engine_of(ContractorSize).name
    'contractor'
    """
    kind = size if isinstance(size, type) else type(size)
    for row in ENGINES.values():
        if row.size is kind:
            return row
    raise TypeError(f"{kind.__name__} is not the size of an engine")


class Engines(Mapping[int, Any]):
    """The engines of one device: their sizes by `EngineKind`, in ascending order. Immutable.

    `find` and `require` take the class of a size instead of a kind, and so return a value of that
    class, which type checkers can follow.

    Parameters
    ----------
    *sizes : EngineSize
        One size for each engine that the device has, in any order.

    Raises
    ------
    TypeError
        If something is not the size of an engine.
    ValueError
        If an engine is given twice, or two engines take the same requests.

    Examples
    --------
    >>> from tensorspin.contract.engine import EngineKind
    >>> size = ContractorSize(lanes=8, program_words=512, features=64, components=2, slots=2,
    ...                       slot_entries=8)
    >>> engines = Engines(size)
    >>> EngineKind.ANNEALER in engines, engines.require(ContractorSize).lanes
    (False, 8)
    """

    def __init__(self, *sizes: EngineSize) -> None:
        by_kind = {engine_of(size).kind: size for size in sizes}
        if len(by_kind) != len(sizes):
            raise ValueError("a device has at most one engine of each kind")
        requests = [request for kind in by_kind for request in ENGINES[kind].requests]
        if len(set(requests)) != len(requests):
            names = " and a ".join(ENGINES[kind].name for kind in sorted(by_kind))
            raise ValueError(f"a device cannot have a {names}: both would answer RUN")
        self._sizes = dict(sorted(by_kind.items()))

    def __getitem__(self, kind: int) -> Any:
        return self._sizes[kind]

    def __iter__(self) -> Iterator[int]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __hash__(self) -> int:
        return hash(tuple(self._sizes.items()))

    def __repr__(self) -> str:
        return f"Engines({', '.join(map(repr, self._sizes.values()))})"

    def find(self, kind: type[Size]) -> Size | None:
        """Give an engine's size if the device has that engine.

        Parameters
        ----------
        kind : type
            Class of the size, such as `ContractorSize`.

        Returns
        -------
        object or None
            The size, an object of that class; None if the device lacks the engine.
        """
        size = self._sizes.get(engine_of(kind).kind)
        return size if isinstance(size, kind) else None

    def require(self, kind: type[Size], owner: str = "the device") -> Size:
        """Give an engine's size, and refuse a device that lacks the engine.

        Parameters
        ----------
        kind : type
            Class of the size, such as `ContractorSize`.
        owner : str
            Who should have the engine, for the message.

        Returns
        -------
        object
            The size, an object of that class.

        Raises
        ------
        ValueError
            If the device lacks the engine.
        """
        size = self.find(kind)
        if size is None:
            row = engine_of(kind)
            raise ValueError(f"{owner} has no {row.name}, which {row.purpose}")
        return size

    def with_sizes(self, *sizes: EngineSize) -> Engines:
        """Add engines, or replace those of the same kind.

        Parameters
        ----------
        *sizes : EngineSize
            Sizes of the engines.

        Returns
        -------
        Engines
            A new object.
        """
        by_kind = self._sizes | {engine_of(size).kind: size for size in sizes}
        return Engines(*by_kind.values())

    def without(self, *kinds: int) -> Engines:
        """Leave engines out.

        Parameters
        ----------
        *kinds : int
            `EngineKind` of each; one that the device lacks anyway does not matter.

        Returns
        -------
        Engines
            A new object.
        """
        return Engines(*(size for kind, size in self._sizes.items() if kind not in kinds))


class HasEngines:
    """Engines by name, for a board's row and a device's description, which both have `engines`.

    These names are for people and for code that belongs to one engine. Code that treats engines
    alike goes through `engines`. A device's engines never change, so each is looked up once.
    """

    engines: Engines

    @property
    def owner(self) -> str:
        """Who has the engines, as messages call it."""
        raise NotImplementedError

    @cached_property
    def contractor(self) -> ContractorSize | None:
        """The contractor's size; None if the device has no contractor."""
        return self.engines.find(ContractorSize)

    @cached_property
    def annealer(self) -> AnnealerSize | None:
        """The annealer's size; None if the device has no annealer."""
        return self.engines.find(AnnealerSize)

    @cached_property
    def spatial(self) -> SpatialSize | None:
        """The spatial engine's size; None if the device has none."""
        return self.engines.find(SpatialSize)

    def require_contractor(self) -> ContractorSize:
        """Give the contractor's size, and refuse a device without a contractor.

        Returns
        -------
        ContractorSize
            Parameters of the engine.

        Raises
        ------
        ValueError
            If the device has no contractor.
        """
        return self.engines.require(ContractorSize, self.owner)

    def require_annealer(self) -> AnnealerSize:
        """Give the annealer's size, and refuse a device without an annealer.

        Returns
        -------
        AnnealerSize
            Parameters of the engine.

        Raises
        ------
        ValueError
            If the device has no annealer.
        """
        return self.engines.require(AnnealerSize, self.owner)
