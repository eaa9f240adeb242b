"""The testing kit: specifications, store suite, the five services in memory. For tests only."""
