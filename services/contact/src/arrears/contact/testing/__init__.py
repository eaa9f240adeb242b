"""What the tests of contact judge by. Production code never imports it."""
