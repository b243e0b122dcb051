"""The annealer: what host, golden model and gateware agree on."""
