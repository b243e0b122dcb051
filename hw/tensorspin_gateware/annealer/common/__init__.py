"""What both builds of the annealer share: ports, host writes, random bits, delays."""
