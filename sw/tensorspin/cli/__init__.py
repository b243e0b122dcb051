"""Commands of ``tensorspin``: a module each, and the figures that they draw.

Most imports are inside of functions: ``tensorspin --help`` should not wait for scikit-learn.
"""
