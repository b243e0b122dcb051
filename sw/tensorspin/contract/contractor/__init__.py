"""The contractor: what host, golden model and gateware agree on."""
