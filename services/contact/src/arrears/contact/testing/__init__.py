"""What the tests of contact begin with and judge by. Production code never imports it."""
