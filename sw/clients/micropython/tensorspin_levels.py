"""From readings to levels, by comparisons of integers; a part of `tensorspin_model`."""

import struct

import tensorspin_protocol as protocol
from tensorspin_line import TensorspinError

INFINITY = 0x7F800000
"""Key of infinity in float32: those of NaN are beyond it, or below that of minus infinity."""

MISSING = -32_768
"""A missing reading of 16 bits, in columns that may miss values; in others it is a number."""

_ROW = protocol.LEVELS - 1


class Scale:
    """How readings of one type become levels: comparisons with thresholds, in their order.

    Parameters
    ----------
    file : file
        An exported model, open for reading bytes.
    first : int
        Where the scale begins in it.
    keep : int
        Bytes of thresholds that may be kept in memory.
    short : bool
        Whether readings are integers of 16 bits, and not float32.
    """

    def __init__(self, file, first, keep, short):
        self._file = file
        self._short = short
        file.seek(first)
        self.features, self.columns, rows = struct.unpack("<HHH", file.read(6))
        self._reads = file.read(2 * self.features)
        self._row = file.read(2 * self.features)
        self._limits = file.read(8 * self.columns)
        self._missed = file.read(self.columns)  # whether a reading may be missing
        at = 6 + 4 * self.features + 9 * self.columns
        self._first = first + at + -at % 4
        file.seek(self._first + 4 * _ROW * rows)
        self._missing = file.read(2 * self.features)
        self._kept = None
        self._buffer = bytearray(4 * _ROW)
        self._loaded = -1
        if 4 * _ROW * rows <= keep:
            file.seek(self._first)
            self._kept = file.read(4 * _ROW * rows)

    def levels(self, keys):
        """Make the levels of a sample.

        Parameters
        ----------
        keys : list of int
            Keys of the readings, one for each column; None is that of a missing reading.

        Returns
        -------
        bytes
            One level for each feature.

        Raises
        ------
        TensorspinError
            If there are too few or too many readings, or one is out of range or not a number.
        """
        if len(keys) != self.columns:
            raise TensorspinError("a sample has %d readings, not %d" % (self.columns, len(keys)))
        for column in range(self.columns):
            key = keys[column]
            least, greatest = struct.unpack_from("<ii", self._limits, 8 * column)
            if self._misses(key) and self._missed[column]:
                continue
            if key is None or (not self._short and self._misses(key)):
                what = "missing" if key is None else "not a number"
                raise TensorspinError("reading %d is %s" % (column, what))
            if not least <= key <= greatest:
                raise TensorspinError("reading %d is out of range" % column)
        levels = bytearray(self.features)
        for feature in range(self.features):
            (column,) = struct.unpack_from("<H", self._reads, 2 * feature)
            (row,) = struct.unpack_from("<H", self._row, 2 * feature)
            low, high, key = 0, _ROW, keys[column]
            if self._missed[column] and self._misses(key):
                levels[feature] = struct.unpack_from("<h", self._missing, 2 * feature)[0]
                continue
            thresholds, at = self._thresholds(row)
            while low < high:
                middle = (low + high) >> 1
                if struct.unpack_from("<i", thresholds, at + 4 * middle)[0] <= key:
                    low = middle + 1
                else:
                    high = middle
            levels[feature] = low
        return bytes(levels)

    def _misses(self, key):
        """Tell whether a key stands for a missing reading."""
        if key is None:
            return True
        return key == MISSING if self._short else not -INFINITY <= key <= INFINITY

    def _thresholds(self, row):
        """Give a buffer and the place of a row in it."""
        if self._kept is not None:
            return self._kept, 4 * _ROW * row
        if row != self._loaded:
            self._file.seek(self._first + 4 * _ROW * row)
            self._file.readinto(self._buffer)
            self._loaded = row
        return self._buffer, 0
