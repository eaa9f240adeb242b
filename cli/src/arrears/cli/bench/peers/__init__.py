"""Other libraries at the same work, on the same PostgreSQL and Kafka, in an environment of theirs.

`by_*.py` are programs: the environment of `requirements/bench.txt` runs them, and nothing of ours
is installed there.
"""
