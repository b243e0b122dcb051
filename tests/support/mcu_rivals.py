"""What a microcontroller can compute by itself: a perceptron of 8 bits and a forest, in plain C."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler, StandardScaler

SHIFT = 15
"""Fraction bits of the factors that make inputs of readings."""


def array(kind: str, name: str, values) -> str:
    """Write an array in C."""
    numbers = ", ".join(str(int(value)) for value in np.ravel(values))
    return f"static const {kind} {name}[] = {{{numbers}}};\n"


class Perceptron:
    """A perceptron with one hidden layer of rectifiers, weights and activations of 8 bits.

    Parameters
    ----------
    X : ndarray of int16 of shape (n_samples, n_columns)
        Readings.
    y : ndarray of int of shape (n_samples,)
        Classes, from 0.
    hidden : int
        Units of the hidden layer.
    standard : bool
        Scale readings by mean and deviation, up to 4 of them, instead of by their range.
    seed : int
        Seed of the training.
    """

    def __init__(self, X, y, hidden, standard=False, seed=0):
        scaler = (StandardScaler() if standard else MinMaxScaler((-1, 1))).fit(X)
        reach = 4.0 if standard else 1.0
        mean = scaler.mean_ if standard else -scaler.min_ / scaler.scale_
        scale = 1 / scaler.scale_ if standard else scaler.scale_
        self.factor = np.rint(127 / reach * scale * (1 << SHIFT)).astype(np.int64)
        self.offset = np.rint((0.5 - 127 / reach * scale * mean) * (1 << SHIFT)).astype(np.int64)
        inputs = self.inputs(X)
        assert np.abs(X * self.factor + self.offset).max() < 1 << 31
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 400 epochs are enough
            network = MLPClassifier((hidden,), max_iter=400, random_state=seed)
            network.fit(inputs / 127, y)
        (first, last), (bias, last_bias) = network.coefs_, network.intercepts_
        if last.shape[1] == 1:  # two classes: the sign of one output
            last, last_bias = np.hstack([-last, last]), np.concatenate([-last_bias, last_bias])
        step = np.abs(first).max() / 127
        self.first = np.rint(first / step).astype(np.int64)
        self.bias = np.rint(bias / step * 127).astype(np.int64)
        sums = np.maximum(inputs @ self.first + self.bias, 0)
        self.shift = max(0, int(np.ceil(np.log2(np.quantile(sums, 0.9999) / 127))))
        unit = step / 127 * 2.0**self.shift
        step = np.abs(last).max() / 127
        self.last = np.rint(last / step).astype(np.int64)
        self.last_bias = np.rint(last_bias / step / unit).astype(np.int64)

    def inputs(self, X):
        """Make inputs of readings."""
        return np.clip(X * self.factor + self.offset >> SHIFT, -127, 127)

    def predict(self, X):
        """Compute classes with the arithmetic of the C code."""
        hidden = np.maximum(self.inputs(X) @ self.first + self.bias, 0) >> self.shift
        return np.argmax(np.minimum(hidden, 127) @ self.last + self.last_bias, axis=1)

    def source(self) -> str:
        """Write it in C."""
        (columns, hidden), outputs = self.first.shape, self.last.shape[1]
        return (
            "#include <stdint.h>\n"
            f"enum {{ COLUMNS = {columns}, HIDDEN = {hidden}, OUTPUTS = {outputs} }};\n"
            + array("int32_t", "factor", self.factor)
            + array("int32_t", "offset", self.offset)
            + array("int8_t", "first", self.first.T)
            + array("int32_t", "bias", self.bias)
            + array("int8_t", "last", self.last.T)
            + array("int32_t", "last_bias", self.last_bias)
            + """
void prepare(void);
int classify(const int16_t *readings);

static int32_t dot(const int8_t *weights, const int8_t *inputs, unsigned count, int32_t sum)
{
    for (unsigned k = 0; k < count; ++k) sum += weights[k] * inputs[k];
    return sum;
}

void prepare(void) {}

int classify(const int16_t *readings)
{
    int8_t inputs[COLUMNS], hidden[HIDDEN];
    int32_t greatest = INT32_MIN;
    int best = 0;
    for (unsigned k = 0; k < COLUMNS; ++k) {
        const int32_t input = (readings[k] * factor[k] + offset[k]) >> SHIFT;
        inputs[k] = (int8_t)(input > 127 ? 127 : input < -127 ? -127 : input);
    }
    for (unsigned k = 0; k < HIDDEN; ++k) {
        const int32_t sum = dot(first + k * COLUMNS, inputs, COLUMNS, bias[k]) >> HIDDEN_SHIFT;
        hidden[k] = (int8_t)(sum > 127 ? 127 : sum < 0 ? 0 : sum);
    }
    for (unsigned k = 0; k < OUTPUTS; ++k) {
        const int32_t sum = dot(last + k * HIDDEN, hidden, HIDDEN, last_bias[k]);
        if (sum > greatest) {
            greatest = sum;
            best = (int)k;
        }
    }
    return best;
}
""".replace("HIDDEN_SHIFT", str(self.shift)).replace("SHIFT", str(SHIFT))
        )


class Forest:
    """A random forest whose trees vote, with thresholds of 16 bits.

    Parameters
    ----------
    X, y, seed
        As for `Perceptron`.
    trees : int
        Number of trees.
    """

    def __init__(self, X, y, trees=50, seed=0):
        self.model = RandomForestClassifier(trees, random_state=seed).fit(X, y)
        self.outputs = len(self.model.classes_)

    def predict(self, X):
        """Compute classes by votes, the first of equals."""
        votes = np.stack([tree.predict(X) for tree in self.model.estimators_]).astype(int)
        counts = np.stack([(votes == k).sum(axis=0) for k in range(self.outputs)])
        return counts.argmax(axis=0)

    def source(self) -> str:
        """Write it in C: a loop over an array of nodes; a leaf has a negative child."""
        nodes, roots = [], []
        for model in self.model.estimators_:
            tree, base = model.tree_, len(nodes)
            inner = np.flatnonzero(tree.children_left >= 0)
            place = {node: base + k for k, node in enumerate(inner)}
            best = tree.value[:, 0, :].argmax(axis=1)

            def child(node, place=place, best=best):
                return place.get(node, -1 - int(best[node]))

            roots.append(child(0))
            nodes += [
                (
                    *(int(np.floor(tree.threshold[node])), child(tree.children_left[node])),
                    *(child(tree.children_right[node]), int(tree.feature[node])),
                )
                for node in inner
            ]
        assert len(nodes) < 1 << 15
        rows = ", ".join("{" + ", ".join(map(str, node)) + "}" for node in nodes)
        return (
            "#include <stdint.h>\n"
            f"enum {{ TREES = {len(roots)}, OUTPUTS = {self.outputs} }};\n"
            "typedef struct { int16_t most, left, right; uint16_t column; } tree_node;\n"
            f"static const tree_node nodes[] = {{{rows}}};\n"
            + array("int16_t", "roots", roots)
            + """
void prepare(void);
int classify(const int16_t *readings);

void prepare(void) {}

int classify(const int16_t *readings)
{
    uint8_t votes[OUTPUTS] = {0};
    int best = 0;
    for (unsigned k = 0; k < TREES; ++k) {
        int at = roots[k];
        while (at >= 0) {
            const tree_node *node = nodes + at;
            at = readings[node->column] <= node->most ? node->left : node->right;
        }
        ++votes[-1 - at];
    }
    for (int k = 1; k < OUTPUTS; ++k) {
        if (votes[k] > votes[best]) best = k;
    }
    return best;
}
"""
        )


EMLEARN_STUBS = {"stdio.h": "", "stdlib.h": "", "math.h": "", "string.h": ""}


def emlearn_factor(X) -> int:
    """Return a power of two by which readings fill 16 bits: emlearn's thresholds are whole."""
    return 1 << int(np.log2(max(1, 32767 // np.abs(X).max())))


def emlearn_source(forest: Forest, folder: Path) -> list[Path] | None:
    """Write emlearn's own code of a forest; return folders of headers, or None without emlearn."""
    if importlib.util.find_spec("emlearn") is None:
        return None
    import emlearn

    model = emlearn.convert(forest.model, method="inline", dtype="int16_t")
    model.save(file=str(folder / "forest.h"), name="forest", include_proba=False)
    columns = forest.model.n_features_in_
    (folder / "emlearn.c").write_text(
        '#include "forest.h"\nvoid prepare(void);\nint classify(const int16_t *readings);\n'
        "void prepare(void) {}\n"
        f"int classify(const int16_t *readings) {{ return forest_predict(readings, {columns}); }}\n"
    )
    stubs = folder / "stubs"
    stubs.mkdir(exist_ok=True)
    for name, text in EMLEARN_STUBS.items():
        (stubs / name).write_text(text)
    return [stubs, Path(emlearn.__file__).parent]
