"""A model that `tensorspin export --format micropython` has written, on a microcontroller.

The file stays where it is, in flash: its parts are read in pieces when they are needed.
"""

import struct
from binascii import crc32

import tensorspin_protocol as protocol
from tensorspin_line import TensorspinError

VERSION = 1
"""Version of the file's layout that this module reads."""

CLASSIFIER, REGRESSOR, OUTLIERS = 1, 2, 3
"""What a model is for: the attribute `task`."""

KEEP = 16_384
"""Bytes of thresholds that are kept in memory. Those of larger models are read again for each
sample, which takes longer."""

_HEADER = "<4sHHIIIHHBBHI"
_ENTRY = "<4sII"
_ROW = protocol.LEVELS - 1
_INFINITY = 0x7F800000
_LN_2 = 0.6931471805599453


class Model:
    """A file with a model.

    Parameters
    ----------
    path : str
        The file. It stays open.
    keep : int
        Bytes of thresholds that may be kept in memory.

    Attributes
    ----------
    digest : int
        By which a board tells the model from others.
    cycles : int
        Clock cycles of a sample.
    features, outputs, lanes : int
        Levels of a sample, scores of a sample, lanes of the board.
    task : int
        `CLASSIFIER`, `REGRESSOR` or `OUTLIERS`.

    Raises
    ------
    TensorspinError
        If the file is none of a model, is damaged, or is of another version.
    """

    def __init__(self, path, keep=KEEP):
        self._file = open(path, "rb")
        self._keep = keep
        self._scales = {}
        size = struct.calcsize(_HEADER)
        head = self._file.read(size)
        if len(head) < size or head[:4] != b"TSPN":
            raise TensorspinError("%s is no exported model: it does not begin with TSPN" % path)
        found = struct.unpack(_HEADER, head)
        if (found[1], found[2]) != (VERSION, protocol.PROTOCOL_VERSION):
            raise TensorspinError(
                "%s has version %d for protocol version %d, this reader has %d and %d; export it "
                "again" % (path, found[1], found[2], VERSION, protocol.PROTOCOL_VERSION)
            )
        self.digest, self.cycles, self.features, self.lanes = found[4:8]
        self.outputs, self.task = found[8:10]
        crc, length = crc32(head[:-4]), size
        while True:
            piece = self._file.read(512)
            if not piece:
                break
            crc = crc32(piece, crc)
            length += len(piece)
        if length != found[3] or crc & 0xFFFFFFFF != found[11]:
            raise TensorspinError("%s is damaged or cut short; export and copy it again" % path)
        self._file.seek(size)
        self._sections = {}
        for _ in range(found[10]):
            name, first, count = struct.unpack(_ENTRY, self._file.read(struct.calcsize(_ENTRY)))
            self._sections[name.decode().strip()] = first, count

    def close(self):
        """Close the file."""
        self._file.close()

    def pieces(self, name, size):
        """Read a section in pieces.

        Parameters
        ----------
        name : str
            Name of the section.
        size : int
            Bytes of a piece at most.

        Yields
        ------
        bytes
            The next piece.
        """
        first, count = self._section(name)
        for at in range(0, count, size):
            self._file.seek(first + at)
            yield self._file.read(min(size, count - at))

    def self_test(self):
        """Read the sample with its known answer.

        Returns
        -------
        (bytes, tuple of int, int, int)
            Levels, scores, exponent and class.
        """
        data = b"".join(self.pieces("TEST", 512))
        scores = struct.unpack_from("<%dh" % self.outputs, data, self.features)
        exponent, best = struct.unpack_from("<HH", data, self.features + 2 * self.outputs)
        return data[: self.features], scores, exponent, best

    def passes(self, board):
        """Run the sample with its known answer.

        Parameters
        ----------
        board : tensorspin_spi.Tensorspin
            A board that holds the model.

        Returns
        -------
        bool
            Whether the board gives that answer, in as many cycles as it must take.
        """
        levels, scores, exponent, best = self.self_test()
        found = board.run(levels)
        right = (found.scores, found.exponent, found.best) == (scores, exponent, best)
        return right and found.cycles == self.cycles

    # From readings to levels

    def levels(self, readings):
        """Make the levels of a sample of numbers, which are rounded to float32.

        Parameters
        ----------
        readings : sequence of float
            One reading for each column that the model was trained on.

        Returns
        -------
        bytes
            One level for each feature.

        Raises
        ------
        TensorspinError
            If there are too few or too many readings, or one is out of range or not a number.
        """
        keys = []
        for reading in readings:
            try:
                (key,) = struct.unpack("<i", struct.pack("<f", reading))
            except OverflowError:  # CPython's, of a number that float32 can't hold
                key = _INFINITY
            keys.append(key if key >= 0 else -0x80000000 - key)
        return self._levels("F32", keys)

    def levels_int16(self, readings):
        """Make the levels of a sample of integers of 16 bits, as of a converter.

        Parameters
        ----------
        readings : sequence of int
            One reading, -32768 to 32767, for each column that the model was trained on.

        Returns
        -------
        bytes
            One level for each feature.

        Raises
        ------
        TensorspinError
            If there are too few or too many readings, or one is out of range.
        """
        return self._levels("I16", list(readings))

    def _levels(self, name, keys):
        scale = self._scales.get(name)
        if scale is None:
            scale = self._scales[name] = _Scale(self._file, self._section(name)[0], self._keep)
        return scale.levels(keys)

    # What scores mean

    def names(self):
        """Read the names of the classes, in the order of the scores; empty unless a classifier.

        Returns
        -------
        list of str
            The names.
        """
        names = []
        if "NAME" in self._sections:
            data = b"".join(self.pieces("NAME", 512))
            at = 0
            while at < len(data):
                names.append(data[at + 1 : at + 1 + data[at]].decode())
                at += 1 + data[at]
        return names

    def label(self, answer):
        """Name the class of an answer.

        Parameters
        ----------
        answer : tensorspin_spi.Answer
            An answer of a classifier.

        Returns
        -------
        str
            The name of the class with the greatest score.
        """
        self._need("NAME", "classes")
        return self.names()[answer.best]

    def number(self, answer):
        """Compute the target of an answer.

        Parameters
        ----------
        answer : tensorspin_spi.Answer
            An answer of a regressor.

        Returns
        -------
        float
            The target, in the precision of the controller's numbers.
        """
        offset, factor, power = struct.unpack("<ffi", self._need("REGR", "a target"))
        value = answer.scores[0] * factor
        shift = power - answer.exponent
        # In small steps: 2**shift alone may be beyond the range of a number.
        while shift and value and abs(value) < 1e30:
            part = max(-30, min(30, shift))
            value *= 2.0**part
            shift -= part
        return offset + value

    def log_likelihood(self, answer):
        """Compute the logarithm of a sample's likelihood in nats.

        Parameters
        ----------
        answer : tensorspin_spi.Answer
            An answer of an outlier detector.

        Returns
        -------
        float
            The logarithm, in the precision of the controller's numbers.
        """
        from math import log

        found = struct.unpack_from("<fiIIH", self._need("OUTL", "a likelihood"))
        whole, fraction = found[1] - answer.exponent, found[2] / (1 << protocol.LOG2_FRACTION_BITS)
        return 2 * (log(max(abs(answer.scores[0]), 0.5)) + (whole + fraction) * _LN_2)

    def decision(self, answer):
        """Compute how far the log-likelihood is above that of an outlier, in nats.

        Parameters
        ----------
        answer : tensorspin_spi.Answer
            An answer of an outlier detector.

        Returns
        -------
        float
            Negative for an outlier, except by the rounding of the controller's numbers.
        """
        return self.log_likelihood(answer) - struct.unpack_from("<f", self._need("OUTL", "it"))[0]

    def is_outlier(self, answer):
        """Tell whether a sample is an outlier, exactly as the host does.

        Parameters
        ----------
        answer : tensorspin_spi.Answer
            An answer of an outlier detector.

        Returns
        -------
        bool
            Whether it is.
        """
        data = self._need("OUTL", "outliers")
        first, count = struct.unpack_from("<IH", data, 12)
        if answer.exponent < first:
            return False
        if answer.exponent >= first + count:
            return True
        at = struct.calcsize("<fiIIH") + 2 * (answer.exponent - first)
        return abs(answer.scores[0]) < struct.unpack_from("<H", data, at)[0]

    def _section(self, name):
        if name not in self._sections:
            raise TensorspinError("the model has no section %s; export it again" % name)
        return self._sections[name]

    def _need(self, name, what):
        if name not in self._sections:
            raise TensorspinError("the model's task tells no %s" % what)
        return b"".join(self.pieces(name, 512))


class _Scale:
    """How readings of one type become levels: comparisons with thresholds, in their order."""

    def __init__(self, file, first, keep):
        self._file = file
        file.seek(first)
        self.features, self.columns, rows = struct.unpack("<HHH", file.read(6))
        self._reads = file.read(2 * self.features)
        self._row = file.read(2 * self.features)
        self._limits = file.read(8 * self.columns)
        self._nan = file.read(self.columns)
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
        if len(keys) != self.columns:
            raise TensorspinError("a sample has %d readings, not %d" % (self.columns, len(keys)))
        for column in range(self.columns):
            key = keys[column]
            least, greatest = struct.unpack_from("<ii", self._limits, 8 * column)
            nan = key > _INFINITY or key < -_INFINITY
            if not (least <= key <= greatest or (nan and self._nan[column])):
                raise TensorspinError(
                    "reading %d %s" % (column, "is not a number" if nan else "is out of range")
                )
        levels = bytearray(self.features)
        for feature in range(self.features):
            (column,) = struct.unpack_from("<H", self._reads, 2 * feature)
            (row,) = struct.unpack_from("<H", self._row, 2 * feature)
            low, high, key = 0, _ROW, keys[column]
            if key > _INFINITY or key < -_INFINITY:
                (low,) = struct.unpack_from("<h", self._missing, 2 * feature)
                if low < 0:
                    raise TensorspinError("reading %d is not a number" % column)
                levels[feature] = low
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

    def _thresholds(self, row):
        """Give a buffer and the place of a row in it."""
        if self._kept is not None:
            return self._kept, 4 * _ROW * row
        if row != self._loaded:
            self._file.seek(self._first + 4 * _ROW * row)
            self._file.readinto(self._buffer)
            self._loaded = row
        return self._buffer, 0
