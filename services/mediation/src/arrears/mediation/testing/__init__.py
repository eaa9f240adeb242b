"""What the tests of mediation begin with. Production code never imports it."""
