"""What an estimator does with columns as users have them: words, gaps and names."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, check_X_y, validate_data

from ..compiler.categories import Categories
from ..compiler.knots import Knots
from ..compiler.scaling import check_feature_range
from ..compiler.values import Column, check_finite, holds_objects, named_column
from .categories import categorical_places, category_order, learn_categories
from .missing import check_missing
from .scales import Scale, learn_scale, with_margin
from .weighting import Samples


class ColumnsMixin:
    """The part of an estimator that checks samples, and makes numbers of words.

    Attributes
    ----------
    categories_ : list of (None or ndarray)
        For each feature the categories that it holds, in the order of their levels; None for a
        feature that holds numbers.
    """

    missing: str
    categorical_features: Any
    scaling_: str
    feature_range: Any
    feature_margin_: float
    n_features_in_: int
    feature_minimum_: np.ndarray
    feature_maximum_: np.ndarray
    feature_knots_: Knots | None

    _categories: Categories | None = None
    """The columns of words; None if there are none."""

    _coded: Categories | None = None
    """Categories of columns that are numbers already, in a network of an ensemble."""

    _words: dict[int, Column]
    """How each of them was brought."""

    @property
    def categories_(self) -> list[np.ndarray | None]:
        """The categories of each feature, in the order of their levels; None for numbers."""
        check_is_fitted(self)
        found: list[np.ndarray | None] = [None] * self.n_features_in_
        if self._categories is not None:
            for place, column in self._categories.columns.items():
                found[place] = np.array(column.values, dtype=object if column.texts else None)
        return found

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the classes with this mixin
        # An estimator that is being unpickled may lack the parameter.
        tags.input_tags.allow_nan = getattr(self, "missing", "refuse") == "level"
        return tags

    def _checked(self, X, *y, reset: bool, **options):
        """Validate samples as scikit-learn does, and make numbers of their words.

        Parameters are those of `sklearn.utils.validation.validate_data`; so is what is returned.
        """
        check_missing(self.missing)
        options = {"dtype": np.float64, "ensure_all_finite": False, **options}
        if reset:
            self._categories = None
        given = reset and self.categorical_features is not None and not hasattr(X, "toarray")
        if given or self._categories is not None or holds_objects(X):
            # Names come first, so that messages know them.
            validate_data(self, X, reset=reset, skip_check_array=True)
            if reset:
                places = categorical_places(
                    self.categorical_features, self.n_features_in_, self._names
                )
                self._categories, self._words = learn_categories(
                    X, self._names, self.missing == "level", places
                )
            table = self._categories or Categories(self.n_features_in_, {})
            X = table.numbers(X, self._names)
            found = check_X_y(X, *y, estimator=self, **options) if y else check_array(X, **options)
        else:
            found = validate_data(self, X, *y, reset=reset, **options)
        check_finite(found[0] if y else found, self.missing == "level", self._names)
        return found

    @property
    def _names(self) -> list[str] | None:
        """Names of the features, if they have some."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else list(names)

    def _with_ordered_categories(self, samples: Samples) -> Samples:
        """Give the categories of each column the order of their targets, and renumber them."""
        if self._categories is None:
            return samples
        X, columns = samples.X.copy(), {}
        targets = self._category_targets(samples)
        for place, column in self._categories.columns.items():
            columns[place] = column
            if self._words[place].ordered:
                continue
            codes, count = X[:, place].copy(), len(column.values)
            present = ~np.isnan(codes)
            places = codes[present].astype(np.intp)
            order = category_order(codes, count, targets, samples.weights)
            if self._words[place].declared is None and len(places):
                # Words that only samples of weight zero have are not there.
                order = order[np.isin(order, places)]
            new = np.zeros(count)
            new[order] = np.arange(len(order))
            X[present, place] = new[places]
            columns[place] = replace(
                column,
                values=tuple(column.values[each] for each in order),
                numbers=np.arange(len(order), dtype=np.float64),
            )
        self._categories = Categories(self._categories.n_columns, columns)
        return Samples(X, samples.y, samples.weights)

    def _category_targets(self, samples: Samples) -> np.ndarray | None:
        """Return the targets of samples as numbers: ndarray (n_samples, n_targets), or None."""
        return None

    def _learn_scale(self, samples: Samples, part: bool) -> None:
        """Set the values of each feature that become 0 and 1, and what is in between."""
        self._warn_of_empty(samples.X)
        self.feature_knots_ = None
        if self.feature_range is None:
            scale = with_margin(self._learnt_scale(samples), self.feature_margin_)
            # Copies, as those of quantiles are parts of knots, which are read-only.
            self.feature_minimum_, self.feature_maximum_ = scale.low.copy(), scale.high.copy()
            self.feature_knots_ = scale.knots
            limits = learn_scale("range", samples.X, samples.weights)
            if part and (limits.low == limits.high).all():
                raise ValueError(
                    "the first call of partial_fit learns the range of each feature, but every "
                    "feature has one value only; set feature_range, or begin with more samples"
                )
        else:
            self.feature_minimum_, self.feature_maximum_ = check_feature_range(
                self.feature_range, self.n_features_in_
            )
        self._spread_categories()

    def _learnt_scale(self, samples: Samples) -> Scale:
        """Return the scale of each feature without its margin."""
        return learn_scale(self.scaling_, samples.X, samples.weights)

    def _spread_categories(self) -> None:
        """Give the categories of each column evenly spaced levels, whatever the scaling."""
        categories = self._categories or self._coded
        if categories is None:
            return
        for place, column in categories.columns.items():
            self.feature_minimum_[place], self.feature_maximum_[place] = 0, len(column.values) - 1
        if self.feature_knots_ is not None:
            knots = self.feature_knots_
            values, positions = knots.values.copy(), knots.positions.copy()
            for place, column in categories.columns.items():
                last = len(column.values) - 1
                values[place], positions[place] = last, min(last, 1)
                values[place, 0] = positions[place, 0] = 0
            self.feature_knots_ = Knots(values, positions)

    def _warn_of_empty(self, X: np.ndarray) -> None:
        """Warn of features that have no value at all, as scikit-learn's imputers do."""
        empty = np.flatnonzero(np.isnan(X).all(axis=0))
        if len(empty):
            shown = ", ".join(named_column(each, self._names) for each in empty[:10])
            warnings.warn(
                f"features without any value in the training tell nothing, and are read as "
                f"constant: {shown}{' and others' if len(empty) > 10 else ''}",
                stacklevel=6,  # the caller of `fit`, which calls `_fit`, `_train`, `_learn_scale`
            )
