"""Legal: from the gate of evidence to the end of enforcement.

It files a claim only when the demand was delivered, the total is known and the limitation period is
alive, then records the judgment, waits for obedience and enforces it. The court is a gateway behind
a port; the legal clocks are timers, and every ending is an event.
"""
