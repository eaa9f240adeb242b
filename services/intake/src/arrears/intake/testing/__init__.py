"""What the tests of intake begin with. Production code never imports it."""
