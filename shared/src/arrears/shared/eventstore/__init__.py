"""The event store: port, memory and PostgreSQL, codec, projector."""
