"""The HTTP edge; pydantic stops here."""
