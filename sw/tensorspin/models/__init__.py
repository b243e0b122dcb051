"""scikit-learn estimators whose models are tensor networks.

A tensor network is a function of all features, made of many small tensors (arrays with several
axes). Each feature becomes a short vector; tensors are contracted with these vectors and with each
other, that is, multiplied and summed over the axes that they share. The result is linear in each
feature's vector, and the cost grows only linearly with the number of features. An axis that two
tensors share is called a bond; the larger its dimension, the more one part of the network can tell
the other, and the more multiplications a device needs.

Two kinds of network are used: the matrix product state (MPS), a chain of tensors with one feature
at each, and the tree tensor network (TTN), a binary tree with the features at its leaves. On a
device both are lists of bilinear nodes, see `tensorspin.compiler`.

=====================  =======================================================================
module                 what it has
=====================  =======================================================================
`base`                 the one way in which all estimators train; scaling of features
`classifier`           what all classifiers share: classes, logits, scale of the tensors
`chain_estimator`      what all chains share; `half_chains`: their tensors as one stack
`contraction`          contraction of chains, and gradients; `chain_shapes`: how wide bonds are
`kernel`               the same, compiled
`mps`                  chains that classify
`ttn`, `tree_network`  trees: the same; `tree_shape` and `tree_tensors` are where a tree starts
`ensemble`             several networks that classify together: the estimator;
                       `ensemble_members`: which are tried, and kept; `ensemble_program`,
                       `ensemble_deployment`: how they become one program, as a board takes it
`regression`           chains with one output that is a number
`anomaly`, `born`      chains whose squared output is a probability (Born machines);
                       `born_estimator`: how they train; `tails`, `dependence`: their defaults
`windows`              from streams to samples; `board_pipeline`: before a board
`parameters`           checks of the parameters that a user sets
`weighting`            weights of samples and of classes
`training_state`       what a later training goes on from: ``warm_start``, ``partial_fit``
`early_stopping`       when a training ends, and which of its networks is kept
`descent`, `losses`    how tensors are trained, and for what; `optimiser`: the steps
`feature_maps`         from a feature to its vector
`feature_order`        the order in which a network reads the features
`repeats`              features that several sites read
`scales`, `recipes`    from values to [0, 1]; what "auto" stands for
`augmentation`         random changes of the samples while training
`canonical`            the canonical form of a chain, its spectra, and the narrowing of bonds
`entanglement`         how much each bond of a chain carries
`importance`           what a network looks at: entropies of sites, mutual informations, from
                       `densities`, the reduced density matrices of sites
`given_tensors`        estimators from tensors that were trained elsewhere; `chain_forms`: their
                       axes and labels
`forecast`             whether a network will fit a board, before it is trained
`logits`               from scores to probabilities; `calibration`: whether these come true
`deployment`           from a fitted estimator to a program and a board
`board_estimator`      what all estimators on a board share: program, board, threads
`pipelines`            the same from a pipeline, whose scalers and selections are folded in
                       (`folding`), by `bisection` among all floating-point numbers
`deployed`             estimators whose predictions a board computes, one for each task
`guarded`              a classifier that refuses; `guard`: its limits; `guarded_program`: the
                       same in a file; `board_guarded`: on boards
`shared_docs`          descriptions of parameters that several estimators share
=====================  =======================================================================
"""

from __future__ import annotations

from .anomaly import MPSAnomalyDetector
from .board_guarded import BoardGuardedClassifier
from .deployed import BoardAnomalyDetector, BoardClassifier, BoardRegressor
from .ensemble import EnsembleClassifier
from .entanglement import entanglement_entropy
from .feature_maps import FeatureMap
from .given_tensors import from_tensors
from .guarded import GuardedClassifier
from .guarded_program import GuardedProgram
from .importance import feature_importance, mutual_information, plot_importance, site_entropy
from .mps import MPSClassifier
from .pipelines import deploy, quantize, save
from .regression import MPSRegressor
from .ttn import TTNClassifier
from .windows import WindowFeatures

__all__ = [
    "BoardAnomalyDetector",
    "BoardClassifier",
    "BoardGuardedClassifier",
    "BoardRegressor",
    "EnsembleClassifier",
    "FeatureMap",
    "GuardedClassifier",
    "GuardedProgram",
    "MPSAnomalyDetector",
    "MPSClassifier",
    "MPSRegressor",
    "TTNClassifier",
    "WindowFeatures",
    "deploy",
    "entanglement_entropy",
    "feature_importance",
    "from_tensors",
    "mutual_information",
    "plot_importance",
    "quantize",
    "save",
    "site_entropy",
]
