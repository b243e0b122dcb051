"""How a program makes levels, the bytes that a device is sent, of samples as a user has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .capacity import check_names
from .categories import Categories
from .columns import TYPES, ColumnLevels
from .gradient import Scale, scale_of_boundaries
from .knots import Knots
from .scaling import MISSING_LEVEL, feature_levels
from .values import as_array, holds_objects

if TYPE_CHECKING:
    from sklearn.utils import Tags


class SampleLevels:
    """The methods of a program that check samples and round them to levels.

    Parameters are those of `tensorspin.compiler.NetworkProgram`, which inherits the methods.
    """

    feature_minimum: np.ndarray
    feature_maximum: np.ndarray
    clip: bool
    columns: ColumnLevels | None
    feature_names: tuple[str, ...] | None
    knots: Knots | None
    missing: bool
    categories: Categories | None

    @property
    def n_features(self) -> int:
        """Number of features that the network reads: the bytes that a device is sent."""
        return len(self.feature_minimum)

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the samples that `levels` and `predict` take."""
        return self.n_features if self.columns is None else self.columns.n_columns

    @property
    def columns_of_words(self) -> list[int]:
        """Numbers of the columns that hold words, or that nothing reads, from 0."""
        if self.categories is None:
            return []
        words = [place for place, column in self.categories.columns.items() if column.texts]
        return sorted([*words, *self.categories.ignored])

    @property
    def columns_with_gaps(self) -> list[int]:
        """Numbers of the columns that may have missing values, from 0."""
        columns = {} if self.categories is None else self.categories.columns
        accepts = np.full(self.n_features_in_, self.missing)
        if self.columns is not None:
            accepts = self.columns.accepts_missing()
        for place, column in columns.items():
            # Its number may be NaN, and then counts as missing, or another one.
            number = column.missing
            accepts[place] = number is not None and bool(accepts[place] or not np.isnan(number))
        if self.categories is not None:
            accepts[list(self.categories.ignored)] = True
        return np.flatnonzero(accepts).tolist()

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns: ndarray of str (dtype object) of shape (`n_features_in_`,).

        Raises
        ------
        AttributeError
            If the columns have no names, as in scikit-learn.
        """
        if self.feature_names is None:
            raise AttributeError("the columns of this program have no names")
        return np.array(self.feature_names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Describe the program to scikit-learn, whose check of names asks for this."""
        from sklearn.utils import Tags, TargetTags

        tags = Tags(estimator_type=None, target_tags=TargetTags(required=False))
        tags.input_tags.allow_nan = self.missing
        return tags

    def levels(self, X) -> np.ndarray:
        """Round features to what the device is sent: one byte a feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_features_in_`)
            Samples, in the unit of `feature_minimum`, or with the categories that the network was
            trained with. A data frame must have its columns, in their order.

        Returns
        -------
        ndarray of uint8 of shape (n_samples, n_features)
            0 for the minimum of the feature, 255 for its maximum; with `missing`, 254 for the
            maximum and 255 for a missing value.

        Raises
        ------
        ValueError
            If X has other names of columns or another shape, is not finite, has a missing value
            or a category that has no level, or is outside the range and `clip` is False.

        Warns
        -----
        UserWarning
            If X has names and the program has none, or the other way round.
        """
        self._check_names(X)
        return self._encode(X)

    def encode(self, X) -> np.ndarray:
        """Round features to levels, as `levels` does, but take an array without a warning.

        Parameters
        ----------
        X : array-like of shape (n_samples, `n_features_in_`)
            Samples. Columns that have no names are known to be those of the program; a data frame
            is checked as `levels` checks it.

        Returns
        -------
        ndarray of uint8 of shape (n_samples, n_features)
            The levels.

        Raises
        ------
        ValueError
            If X has other names of columns or another shape, is not finite, has a missing value
            or a category that has no level, or is outside the range and `clip` is False.
        """
        if hasattr(X, "columns"):
            self._check_names(X)
        return self._encode(X)

    def _check_names(self, X) -> None:
        """Check names of columns as scikit-learn does, by its own check and in its words."""
        # Imported here, as a program can be made, saved and run without scikit-learn.
        from sklearn.utils.validation import validate_data

        validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)

    def _encode(self, X) -> np.ndarray:
        if self.categories is not None or (self.columns is None and holds_objects(X)):
            table = self.categories or Categories(self.n_features_in_, {})
            X = table.numbers(X, self.feature_names)
        if self.columns is not None:
            return self.columns.encode(X, self.feature_names)
        return feature_levels(
            X,
            self.feature_minimum,
            self.feature_maximum,
            self.clip,
            self.knots,
            self.missing,
            self.feature_names,
        )

    def _smooth_levels(self, X) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Scale]]:
        """Return levels that are not rounded, for `tensorspin.compiler.gradient`.

        Returns
        -------
        numbers : ndarray of float64 of shape (n_samples, `n_features_in_`)
            The samples; numbers in place of words.
        levels, slopes : ndarray of float64 of shape (n_samples, n_features)
            Levels as numbers, and their derivatives by the values. A missing value has the level
            that the board is sent, and the derivative 0.
        scales : list of Scale
            The scale of each feature.
        """
        rounded = self.levels(X)  # which refuses what has no level
        if self.categories is not None or (self.columns is None and holds_objects(X)):
            table = self.categories or Categories(self.n_features_in_, {})
            X = table.numbers(X, self.feature_names)
        numbers = np.asarray(as_array(X), dtype=np.float64)
        levels, slopes = rounded.astype(np.float64), np.zeros(rounded.shape)
        scales = self._scales()
        reads = range(self.n_features) if self.columns is None else self.columns.features
        for feature, (column, scale) in enumerate(zip(reads, scales)):
            there = ~np.isnan(numbers[:, column])
            found = scale.at(numbers[there, column])
            if len(scale.values) > 1:  # a scale of one step stays one
                levels[there, feature], slopes[there, feature] = found
        if self.categories is not None:
            slopes[:, np.isin(reads, list(self.categories.columns))] = 0  # words do not move
        return numbers, levels, slopes, scales

    def _scales(self) -> list[Scale]:
        """Return how values of each feature become levels that are not rounded."""
        if self.columns is not None:
            return [scale_of_boundaries(row) for row in self.columns.boundaries[TYPES[0]].levels]
        top = MISSING_LEVEL - bool(self.missing)
        if self.knots is not None:
            values, positions = self.knots.values, self.knots.positions
        else:
            values = np.column_stack([self.feature_minimum, self.feature_maximum])
            positions = np.broadcast_to([0.0, 1.0], values.shape)
        return [Scale(each, at * top, 0, top) for each, at in zip(values, positions)]

    def check_inputs(self) -> None:
        """Refuse scales, names and categories that don't fit each other.

        Raises
        ------
        ValueError
            If they don't; the message says what.
        """
        if not isinstance(self.clip, (bool, np.bool_)):
            raise ValueError(f"clip must be True or False, not {self.clip!r}")
        if not isinstance(self.missing, (bool, np.bool_)):
            raise ValueError(f"missing must be True or False, not {self.missing!r}")
        if self.columns is not None and self.columns.n_features != self.n_features:
            raise ValueError(
                f"columns are read by {self.columns.n_features} features, the program has "
                f"{self.n_features}"
            )
        if self.feature_names is not None:
            check_names(self.feature_names, self.n_features_in_)
        if self.knots is not None:
            self._check_knots(self.knots)
        if self.categories is not None and self.categories.n_columns != self.n_features_in_:
            raise ValueError(
                f"categories are for {self.categories.n_columns} columns, the program has "
                f"{self.n_features_in_}"
            )

    def _check_knots(self, knots: Knots) -> None:
        if self.columns is not None or not self.clip:
            raise ValueError("knots are for programs that clip, and have no pipeline in them")
        ends = knots.values[:, 0], knots.values[:, -1]
        for name, end in zip(("feature_minimum", "feature_maximum"), ends):
            if not np.array_equal(getattr(self, name), end):
                raise ValueError(f"{name} must be the outermost knot of each feature")
