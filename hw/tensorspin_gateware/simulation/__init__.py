"""Virtual boards: the gateware itself, compiled by Verilator."""
