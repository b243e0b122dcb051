"""What becomes a bitstream."""
