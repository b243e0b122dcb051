"""The commands of ``tensorspin``, one module each, and the figures that they draw.

Each command's module has ``add``, which declares its arguments, and a function that runs it. Heavy
imports (scikit-learn, dimod, matplotlib) stand inside of the functions that need them, so that
``tensorspin --help`` answers at once.
"""
