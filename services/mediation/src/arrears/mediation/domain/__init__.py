"""Pure decisions of this service: no driver, no clock, no chance, no log."""
