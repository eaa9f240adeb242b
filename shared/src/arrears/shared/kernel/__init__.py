"""Pure building blocks: deciders, ids, money, days, envelopes. No clock, chance, driver or log."""
