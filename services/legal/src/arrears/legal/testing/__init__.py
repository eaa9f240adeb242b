"""What the tests of legal begin with. Production code never imports it."""
