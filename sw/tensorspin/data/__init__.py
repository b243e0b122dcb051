"""Data from files: tables to train with (`datasets`), Ising and QUBO models (`model_files`)."""
