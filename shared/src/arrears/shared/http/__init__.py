"""What every API shares: problems, health, idempotency, the case list."""
