"""Read models, each a pure fold over events."""
