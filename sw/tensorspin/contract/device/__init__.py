"""A device as a whole: what it says of itself, and the table of boards."""
