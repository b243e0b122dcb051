"""The contractor in NumPy: results bit for bit (`contraction`), and its cycles (`cycles`)."""
