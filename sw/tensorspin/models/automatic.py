"""How an estimator finds the values of the parameters that are ``"auto"``, and tells them."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from ..contract.contractor.size import ContractorSize
from ..contract.device.boards import find_board
from .feature_maps import FeatureMap
from .forecast import ForecastMixin
from .missing import feature_map
from .parameters import is_auto
from .recipes import SETTLED, DetectorRecipe, Recipe
from .spread import suited_scaling
from .weighting import Samples

COMFORTABLE_BOND = 6
"""Bond dimension down to which bonds are narrowed before weights are rounded to 4 bits."""


NARROWEST_WITHOUT_BOARD = 12
"""Bond dimension down to which bonds are narrowed where the user names no board, if some board then
holds the network with weights of 8 bits. Narrower ones would cost those accuracy who want none."""


class AutomaticMixin(ForecastMixin):
    """The method `_settle` of an estimator, which sets the attributes that training reads.

    Attributes
    ----------
    feature_map_ : FeatureMap
        The map from a scaled feature to its vector.
    bond_dim_, n_repeats_, scaling_, learning_rate_, weight_decay_, input_noise_ : object
        The values of the parameters with these names in the training: what the user gave or, where
        that is "auto", what was chosen. Estimators with `label_smoothing` have that, too.
    """

    bond_dim_: int
    n_repeats_: int
    scaling_: str
    feature_margin_: float
    learning_rate_: float
    weight_decay_: float
    input_noise_: float
    label_smoothing_: float

    local_dim: Any
    n_repeats: Any
    bond_dim: Any
    board: str | None = None
    weight_bits: int | None
    missing: str
    feature_map_: FeatureMap

    _recipe: Recipe | DetectorRecipe | None = None
    """How parameters are chosen that are "auto"; None: none may be."""

    _choices: dict[str, Any] | None = None
    """What the recipe chose for the first data of a training."""

    @property
    def _automatic(self) -> tuple[str, ...]:
        """Parameters that may be "auto", beside `batch_size`."""
        return () if self._recipe is None else self._recipe.names

    def _settle(self, samples: Samples, new: bool, part: bool = False) -> None:
        """Set the attributes that tell the values of parameters in the training.

        Called when n_features_in_ and the target are known; `part` tells that more samples may
        come.
        A training that goes on keeps what was chosen for its first data; but a user may give
        another value of what is no parameter of the network's shape.
        """
        if new or self._choices is None:
            self._choices = {}
            if self._recipe is not None:
                self._choices = self._recipe(
                    None if part else len(samples),
                    self.n_features_in_,
                    vars(self),
                    lambda: suited_scaling(samples.X, samples.weights),
                )
        self._set_attributes()
        if new:
            self.feature_map_ = feature_map(
                self._value("feature_map"), self.local_dim, self.missing
            )
            self._choose_size()
            self._set_attributes()

    def settled_parameters(self) -> dict[str, Any]:
        """Tell the values that parameters had in the training, of those that may be chosen.

        Returns
        -------
        dict of str to object
            The values by the names of the parameters. That of `feature_map` is its name.

        Raises
        ------
        NotFittedError
            If the estimator was not trained.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from tensorspin import MPSClassifier
        >>> model = MPSClassifier(epochs=1, random_state=0).fit(*load_iris(return_X_y=True))
        >>> values = model.settled_parameters()
        >>> values["feature_map"], values["n_repeats"], model.n_repeats_
        ('bernstein', 2, 2)
        """
        check_is_fitted(self, "feature_map_")
        found = vars(self)
        values = {name: found[f"{name}_"] for name in SETTLED if f"{name}_" in found}
        known = self.feature_map_
        # The parameter counts the components of values.
        return {**values, "feature_map": known.name, "local_dim": known.value_dim}

    def _set_attributes(self) -> None:
        for name in SETTLED:
            if hasattr(self, name):
                setattr(self, f"{name}_", self._value(name))

    def _value(self, name: str) -> Any:
        """Return what a parameter is, or what it was chosen to be."""
        given = getattr(self, name)
        if is_auto(given) and self._choices is not None and name in self._choices:
            return self._choices[name]
        return given

    def _choose_size(self) -> None:
        """Choose fewer sites a feature, and narrower bonds, if the network would not fit else."""
        if self._choices is None:
            return
        if self.board is not None:
            self._fit_to(find_board(self.board).require_contractor())
        else:
            self._fit_to_some_board()
        for name in ("bond_dim", "n_repeats"):
            if name in self._choices:
                self._choices[name] = getattr(self, f"{name}_")

    def _widths(self) -> list[bool]:
        """Return whether weights may take 4 bits: at first not, unless they are trained for it."""
        return [False, True] if self.weight_bits is None else [self.weight_bits == 4]

    def _fit_to_some_board(self) -> None:
        """Choose the largest network that some board holds, if it need not be much smaller."""
        bond_dim, repeats = self.bond_dim_, self.n_repeats_
        fewest = 1 if is_auto(self.n_repeats) else repeats
        least = min(bond_dim, NARROWEST_WITHOUT_BOARD) if is_auto(self.bond_dim) else bond_dim
        for narrow in self._widths():
            for self.n_repeats_ in range(repeats, fewest - 1, -1):
                for self.bond_dim_ in range(bond_dim, least - 1, -1):
                    if self._reason_against_boards(self._largest_nodes, narrow) is None:
                        return
        self.bond_dim_, self.n_repeats_ = bond_dim, repeats  # smaller ones are of no help

    def _fit_to(self, size: ContractorSize) -> None:
        """Choose the largest network that a device holds, or refuse it."""
        bond_dim, repeats = self.bond_dim_, self.n_repeats_
        fewest = 1 if is_auto(self.n_repeats) else repeats
        smallest = 2 if is_auto(self.bond_dim) else bond_dim
        # Narrower bonds cost less than rounding to 4 bits, down to a limit.
        widths = self._widths()
        self.bond_dim_, self.n_repeats_ = smallest, fewest
        excess = self._excess(self._largest_nodes(), size, widths[-1])
        if excess is not None:
            raise excess
        for narrow in widths:
            least = smallest if narrow == widths[-1] else max(smallest, COMFORTABLE_BOND)
            for self.n_repeats_ in range(repeats, fewest - 1, -1):
                for self.bond_dim_ in range(bond_dim, least - 1, -1):
                    if self._excess(self._largest_nodes(), size, narrow) is None:
                        return
