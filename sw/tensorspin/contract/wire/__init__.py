"""Bytes between host and device: packets, and the frames around them."""
