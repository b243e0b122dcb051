"""The drivers for microcontrollers, as files that are written beside an exported program.

They are no part of the Python package. A wheel brings them along as data, in a folder beside this
module; in the checkout they are ``sw/clients``.
"""

from __future__ import annotations

from pathlib import Path

INSTALLED = Path(__file__).with_name("clients")
"""Where a wheel has the drivers; ``setup.py`` puts them there."""

CHECKOUT = Path(__file__).parents[2] / "clients"
"""Where the checkout has them."""

FOLDERS = {"c": "c", "micropython": "micropython"}
"""Folder of each format's driver."""


def driver_files(form: str) -> dict[str, bytes]:
    """Read all files of a driver.

    Parameters
    ----------
    form : str
        Format of the exported program, a key of `FOLDERS`.

    Returns
    -------
    dict of str to bytes
        Content of each file by its path in the driver's folder, with ``/`` between folders.

    Raises
    ------
    FileNotFoundError
        If the installation has no drivers.

    Examples
    --------
    >>> "tensorspin.h" in driver_files("c"), "tensorspin_spi.py" in driver_files("micropython")
    (True, True)
    """
    for folder in (INSTALLED / FOLDERS[form], CHECKOUT / FOLDERS[form]):
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
        if found:
            return found
    raise FileNotFoundError(
        "this installation has no drivers for microcontrollers; install the wheel of make dist, or "
        "take sw/clients of the checkout"
    )
