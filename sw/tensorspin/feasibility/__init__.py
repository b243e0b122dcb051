"""What fits a board and how fast it is, before anything is built or connected.

`programs` answers for trained networks, `models` for Ising and QUBO models, `describe` puts the
sizes of engines into words.
"""
