"""A model that `tensorspin export --format micropython` has written, on a microcontroller.

The file stays where it is, in flash: its parts are read in pieces when they are needed.
"""

import struct
from binascii import crc32

import tensorspin_protocol as protocol
from tensorspin_levels import INFINITY, Scale
from tensorspin_line import TensorspinError
from tensorspin_scores import Scores, names_in

CLASSIFIER = protocol.TASK_CLASSIFIER
REGRESSOR = protocol.TASK_REGRESSOR
OUTLIERS = protocol.TASK_OUTLIERS
"""What a model is for: the attribute `task`."""

KEEP = 16_384
"""Bytes of thresholds that are kept in memory. Those of larger models are read again for each
sample, which takes longer."""

_HEADER = "<4sHHIIIHHBBHI"
_ENTRY = "<4sII"


class Model(Scores):
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
        Clock cycles of a sample on the board that the model was exported for; `cycles_on` gives
        those on others.
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
        self._categories = None
        self._gaps_for_others = []
        size = struct.calcsize(_HEADER)
        head = self._file.read(size)
        if len(head) < size or head[:4] != b"TSPN":
            raise TensorspinError("%s is no exported model: it does not begin with TSPN" % path)
        found = struct.unpack(_HEADER, head)
        if (found[1], found[2]) != (protocol.MODEL_VERSION, protocol.PROTOCOL_VERSION):
            raise TensorspinError(
                "%s has version %d for protocol version %d, this reader has %d and %d; export it "
                "again"
                % (path, found[1], found[2], protocol.MODEL_VERSION, protocol.PROTOCOL_VERSION)
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

    def features_on(self, board):
        """Count the features, with the flag by which a board compares the signature of each run.

        Parameters
        ----------
        board : tensorspin_spi.Tensorspin
            A board that can hold the model.

        Returns
        -------
        int
            The number for ACTIVATE.
        """
        sizes = board.contractor + (0,) * protocol.CONTRACTOR_SIGNATURE
        signs = "SIGN" in self._sections and sizes[protocol.CONTRACTOR_SIGNATURE]
        return self.features | (protocol.ACTIVATE_SIGNED if signs else 0)

    def self_tests(self):
        """Read the samples with known answers, one after the other.

        Yields
        ------
        (bytes, tuple of int, int, int)
            Levels, scores, exponent and class.
        """
        for data in self.pieces("TEST", self.features + 2 * self.outputs + 4):
            scores = struct.unpack_from("<%dh" % self.outputs, data, self.features)
            exponent, best = struct.unpack_from("<HH", data, self.features + 2 * self.outputs)
            yield data[: self.features], scores, exponent, best

    def cycles_on(self, board, mode="throughput"):
        """Tell how many clock cycles a sample takes on a board.

        Parameters
        ----------
        board : tensorspin_spi.Tensorspin
            A board that can hold the model.
        mode : str
            "throughput" or "single", as of `tensorspin_spi.Tensorspin.run`.

        Returns
        -------
        int or None
            The cycles; None if the model was exported when no board had that pipeline yet, or for
            one whose groups cannot share a sample, or not in the same cycles.
        """
        sizes = board.contractor + (0,) * protocol.CONTRACTOR_SINGLE_DRAIN
        if mode == "single":
            if "SING" not in self._sections:
                return None
            found = struct.unpack("<HHI", b"".join(self.pieces("SING", 64)))
            groups = sizes[protocol.CONTRACTOR_GROUPS]
            same = found[:2] == (groups, sizes[protocol.CONTRACTOR_SINGLE_DRAIN])
            return found[2] if same else None
        pipeline = sizes[protocol.CONTRACTOR_PIPELINE]
        if "CYCL" not in self._sections:
            return None if pipeline else self.cycles
        cycles = b"".join(self.pieces("CYCL", 64))
        if 4 * pipeline >= len(cycles):
            return None
        return struct.unpack_from("<I", cycles, 4 * pipeline)[0]

    def passes(self, board):
        """Run the samples with known answers.

        Parameters
        ----------
        board : tensorspin_spi.Tensorspin
            A board that holds the model.

        Returns
        -------
        bool
            Whether the board gives those answers. They take as many cycles as they must, if those
            are known, or else are a `tensorspin_spi.FaultError`.
        """
        for levels, scores, exponent, best in self.self_tests():
            found = board.run(levels)
            if (found.scores, found.exponent, found.best) != (scores, exponent, best):
                return False
        return True

    # From readings to levels

    def levels(self, readings):
        """Make the levels of a sample of numbers, which are rounded to float32.

        Parameters
        ----------
        readings : sequence of (float or str or None)
            One reading for each column that the model was trained on. That of a column of
            categories is the category's name, or its place in `categories`. None and NaN are
            missing readings.

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
        for reading in self._numbers(readings):
            if reading is None:
                keys.append(None)
                continue
            try:
                (key,) = struct.unpack("<i", struct.pack("<f", reading))
            except OverflowError:  # CPython's, of a number that float32 can't hold
                key = INFINITY
            keys.append(key if key >= 0 else -0x80000000 - key)
        return self._levels("F32", keys)

    def levels_int16(self, readings):
        """Make the levels of a sample of integers of 16 bits, as of a converter.

        Parameters
        ----------
        readings : sequence of (int or str or None)
            One reading, -32768 to 32767, for each column that the model was trained on. That of a
            column of categories is the category's name, or its place in `categories`. None is a
            missing reading, as -32768 is in columns that may miss values.

        Returns
        -------
        bytes
            One level for each feature.

        Raises
        ------
        TensorspinError
            If there are too few or too many readings, or one is out of range.
        """
        return self._levels("I16", self._numbers(readings))

    def _levels(self, name, keys):
        scale = self._scales.get(name)
        if scale is None:
            first = self._section(name)[0]
            scale = self._scales[name] = Scale(self._file, first, self._keep, name == "I16")
        return scale.levels(keys)

    def categories(self):
        """Read the names of the categories.

        Returns
        -------
        dict of int to list of (str or None)
            For each column of categories their names, in the order of their places. None stands for
            any other value.
        """
        if self._categories is None:
            self._categories = {}
            data = b"".join(self.pieces("CATS", 512)) if "CATS" in self._sections else b""
            at = 0
            while at < len(data):
                column, count, gaps = struct.unpack_from("<HHB", data, at)
                self._categories[column], at = names_in(data, at + 5, count)
                if gaps:
                    self._gaps_for_others.append(column)
        return self._categories

    def _numbers(self, readings):
        """Replace names of categories by their places, or by None if they count as missing."""
        found = []
        for reading in readings:
            if isinstance(reading, str):
                names = self.categories().get(len(found), ())
                if reading in names:
                    reading = names.index(reading)
                elif None in names:
                    reading = names.index(None)
                elif len(found) in self._gaps_for_others:
                    reading = None
                else:
                    raise TensorspinError(
                        "reading %d is %s, which is none of its categories" % (len(found), reading)
                    )
            found.append(reading)
        return found

    def _section(self, name):
        if name not in self._sections:
            raise TensorspinError("the model has no section %s; export it again" % name)
        return self._sections[name]
