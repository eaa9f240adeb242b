"""How the commands reach what is installed: settings, entry points, HTTP, and plain errors."""
