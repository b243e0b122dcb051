"""Commands of ``tensorspin``: a module each, or for a few that belong together.

Most imports are inside of functions: ``tensorspin --help`` should not wait for scikit-learn.
"""
