"""The ports' implementations: tables, topics, gateways and their memory twins."""
