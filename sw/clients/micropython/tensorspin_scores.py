"""What the scores of an exported model mean; `tensorspin_model` builds the model on it."""

import struct

import tensorspin_protocol as protocol
from tensorspin_line import TensorspinError

_LN_2 = 0.6931471805599453


class Scores:
    """A model, as far as it tells what answers mean."""

    def names(self):
        """Read the names of the classes, in the order of the scores; empty unless a classifier.

        Returns
        -------
        list of str
            The names.
        """
        if "NAME" not in self._sections:
            return []
        return names_in(b"".join(self.pieces("NAME", 512)), 0, self.outputs)[0]

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

    def _need(self, name, what):
        if name not in self._sections:
            raise TensorspinError("the model's task tells no %s" % what)
        return b"".join(self.pieces(name, 512))


def names_in(data, at, count):
    """Read so many names; return them, and the place behind them."""
    names = []
    for _ in range(count):
        length = data[at]
        if length == 255:
            names.append(None)
            at += 1
        else:
            names.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
    return names, at
