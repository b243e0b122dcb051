"""Virtual boards: the gateware itself, compiled to a shared library by Verilator."""
