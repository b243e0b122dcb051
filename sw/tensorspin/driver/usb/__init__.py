"""Boards as USB devices: which serial port is which board, and who may open it."""
