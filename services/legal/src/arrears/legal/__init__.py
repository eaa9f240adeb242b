"""Legal: from the gate of evidence to the end of enforcement.

It takes a case only when the demand was delivered, the total is known and the limitation period is alive, then
files, records the judgment, waits for obedience and enforces it. Court and registry are gateways behind
ports; the legal clocks are timers, and every ending is an event.
"""
