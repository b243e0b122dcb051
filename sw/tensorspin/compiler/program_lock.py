"""The tags that let locked boards run a program, as the program's file carries them."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.contractor.chaskey import BLOCK_BYTES
from ..contract.contractor.lock import check_version


@dataclass(frozen=True)
class ProgramLock:
    """The tags of a program, and the version that they were made for.

    Parameters
    ----------
    version : int
        The program's version, 1 to `tensorspin.contract.contractor.lock.MAX_VERSION`.
    tags : tuple of (int, bool, bytes)
        Lanes of the contractor, whether it checks signatures, and the tag for it.

    Raises
    ------
    ValueError
        If a number is out of its range, or a tag has another length than
        `tensorspin.contract.contractor.chaskey.BLOCK_BYTES`.

    Examples
    --------
    >>> lock = ProgramLock(3, ((8, False, bytes(16)),))
    >>> lock.tag(8, False) == bytes(16), lock.tag(8, True)
    (True, None)
    """

    version: int
    tags: tuple[tuple[int, bool, bytes], ...]

    def __post_init__(self) -> None:
        check_version(self.version)
        for lanes, _, tag in self.tags:
            if lanes < 1 or len(tag) != BLOCK_BYTES:
                raise ValueError(
                    f"a tag must have {BLOCK_BYTES} bytes and be for 1 lane or more, not "
                    f"{len(tag)} bytes for {lanes}"
                )

    def tag(self, lanes: int, signed: bool) -> bytes | None:
        """Find the tag for a contractor.

        Parameters
        ----------
        lanes : int
            Its lanes.
        signed : bool
            Whether it checks signatures, `ContractorSize.signature`.

        Returns
        -------
        bytes or None
            The tag; None if the program was not locked for such a contractor.
        """
        return next((tag for *layout, tag in self.tags if layout == [lanes, signed]), None)

    def entry(self) -> dict[str, object]:
        """Make what a program's file holds.

        Returns
        -------
        dict
            An object of JSON.
        """
        tags = [{"lanes": n, "signed": signed, "tag": tag.hex()} for n, signed, tag in self.tags]
        return {"version": self.version, "tags": tags}

    @classmethod
    def from_entry(cls, entry: object) -> ProgramLock | None:
        """Read what `entry` has made.

        Parameters
        ----------
        entry : object
            The object of JSON; None if the program is not locked.

        Returns
        -------
        ProgramLock or None
            The lock.

        Raises
        ------
        ValueError
            If it is none.
        """
        if entry is None:
            return None
        try:
            assert isinstance(entry, dict)
            version, tags = entry["version"], []
            for each in entry["tags"]:
                lanes, signed, tag = each["lanes"], each["signed"], each["tag"]
                assert type(lanes) is int and type(signed) is bool and type(version) is int
                tags.append((lanes, signed, bytes.fromhex(tag)))
        except (AssertionError, KeyError, TypeError, ValueError):
            raise ValueError(f"lock is {entry!r}, not a version and tags") from None
        return cls(version, tuple(tags))
