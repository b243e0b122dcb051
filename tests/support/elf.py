"""What the tests need of 32-bit little-endian ELF files: sections, symbols and segments."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

_SECTION = struct.Struct("<10I")
_SEGMENT = struct.Struct("<8I")
_SYMBOL = struct.Struct("<IIIBBH")
_LOAD, _SYMBOLS, _NO_BITS = 1, 2, 8


@dataclass
class Elf:
    """An object or a program.

    Attributes
    ----------
    entry : int
        Address of the first instruction.
    sections : dict of str to int
        Bytes of each section; sections of one name count together.
    symbols : dict of str to (int, int)
        Address and size of each symbol that has a name.
    segments : list of (int, bytes)
        Physical address and content of what is loaded.
    """

    entry: int
    sections: dict[str, int] = field(default_factory=dict)
    symbols: dict[str, tuple[int, int]] = field(default_factory=dict)
    segments: list[tuple[int, bytes]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Elf:
        data = path.read_bytes()
        entry, program_at, section_at = struct.unpack_from("<3I", data, 24)
        segments, _, sections, names = struct.unpack_from("<4H", data, 44)
        elf = cls(entry)
        for index in range(segments):
            kind, offset, _, physical, size, *_ = _SEGMENT.unpack_from(
                data, program_at + index * _SEGMENT.size
            )
            if kind == _LOAD and size:
                elf.segments.append((physical, data[offset : offset + size]))
        headers = [
            _SECTION.unpack_from(data, section_at + index * _SECTION.size)
            for index in range(sections)
        ]

        def text(table: int, at: int) -> str:
            begin = headers[table][4] + at
            return data[begin : data.index(b"\0", begin)].decode("ascii")

        for name, kind, _, _, offset, size, link, *_ in headers:
            title = text(names, name)
            elf.sections[title] = elf.sections.get(title, 0) + size
            if kind == _SYMBOLS:
                for at in range(offset, offset + size, _SYMBOL.size):
                    label, value, length, *_ = _SYMBOL.unpack_from(data, at)
                    if label:
                        elf.symbols[text(link, label)] = value, length
        return elf

    def bytes_of(self, *prefixes: str) -> int:
        """Count the bytes of all sections whose names begin with one of the prefixes."""
        return sum(
            size
            for name, size in self.sections.items()
            if any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)
        )
