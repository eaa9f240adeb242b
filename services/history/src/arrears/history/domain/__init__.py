"""What history computes: the order of events, chains, words and figures. It decides nothing."""
