"""A shard's owner: lease, hearing, agenda, effects and relay, each a step()."""
