"""Faults on the real thing: servers and workers killed, frozen and cut off while a feed runs."""
