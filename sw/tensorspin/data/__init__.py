"""Data from files.

`datasets` reads tables of samples to train classifiers with, and splits them; `model_files` reads
Ising and QUBO models for the annealer, and the best values known for them. What cannot be read or
used raises `DataError`.
"""

from .datasets import Dataset, Samples, load_dataset, load_samples, split_samples
from .errors import DataError
from .known_columns import Known
from .model_files import Answers, KnownValue, Model, find_known_value, read_model
from .reading import Reading

__all__ = [
    "Answers",
    "DataError",
    "Dataset",
    "Known",
    "KnownValue",
    "Model",
    "Reading",
    "Samples",
    "find_known_value",
    "load_dataset",
    "load_samples",
    "read_model",
    "split_samples",
]
