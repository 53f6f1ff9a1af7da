"""Reader networks: pictures N 3 H W in [-1, 1] to character scores N T C and type scores N K."""
