"""Files of a release: ``python -m tensorspin_gateware.build.collect DIR``, behind ``make dist``.

This command is a maintainer's tool for a checkout. It copies the bitstreams that are built into
``DIR/bitstreams``, and writes ``DIR/SHA256SUMS`` with the checksums of all files in `DIR`, which
``sha256sum --check`` reads. Nothing is built.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from ..boards import HARDWARE
from . import cache
from .bitstream import last_build
from .record_files import read_records
from .records import BitstreamRow
from .stages import Progress

SUMS = "SHA256SUMS"
"""Name of the file with the checksums."""

FOLDER = "bitstreams"
"""Name of the folder in which the bitstreams are collected."""


def collect(
    folder: Path, records: dict[str, BitstreamRow], progress: Progress = print
) -> list[Path]:
    """Copy the bitstreams that are built and good into a folder, and write checksums.

    A bitstream that is damaged or too slow is left out, and so is one whose netlist is not the one
    on record: the sources may have changed since.

    Parameters
    ----------
    folder : Path
        Existing folder; other files in it, such as the wheel, get checksums, too.
    records : dict of str to BitstreamRow
        Rows on record, by the names of their boards; a board without a row has nothing to be
        compared with.
    progress : callable, optional
        Takes a line of text for each bitstream that exists.

    Returns
    -------
    list of Path
        The bitstreams in the folder.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    copied = []
    for name, hardware in HARDWARE.items():
        bitstream = cache.path(name) / f"{name}{hardware.suffix}"
        if not bitstream.exists():
            continue
        found = last_build(name)
        if found is None:
            progress(f"{name}: left out, damaged or too slow; build it again")
            continue
        if name in records and records[name].build != found:
            progress(
                f"{name}: left out, as its build is {found}, not {records[name].build}, which "
                f"docs/bitstreams.json has on record; build it again"
            )
            continue
        (folder / FOLDER).mkdir(exist_ok=True)
        copied.append(Path(shutil.copy(bitstream, folder / FOLDER)))
        progress(f"{name}: build {found}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    ]
    cache.write_atomically(folder / SUMS, "".join(lines).encode())
    return copied


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0 if the checksums were written, whether or not there are bitstreams.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 1 or not Path(words[0]).is_dir():
        print("usage: collect DIR, where DIR is an existing folder", file=sys.stderr)
        return 2
    folder = Path(words[0])
    copied = collect(folder, read_records(Path(__file__).parents[3] / "docs"))
    print(f"{folder}: {len(copied)} bitstreams, checksums in {SUMS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
