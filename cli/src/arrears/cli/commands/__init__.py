"""One file for each group of commands; `arrears.cli.main` mounts them."""
