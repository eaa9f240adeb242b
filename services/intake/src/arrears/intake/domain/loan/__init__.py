"""One loan's life in collections: the bank's facts, its cases, its money, who has the case.

Stream      intake.loan-<loan_key>
Life        episodes 1, 2, ...: a case is opened by an overdue fact and closed by the bank's `cured`
            or, as uncollectible, by a stage or by staff, or, as settled, by staff. Only `cured`
            ends the episode: a case closed before it stays closed and records further facts.
Invariants  every accepted fact leaves exactly one fact event, and that event comes first;
            an outdated fact (older than what the bank said last) is recorded and changes nothing;
            the bank's figures replace, they never add, and we never age them;
            paid in = allocated + in suspense, to the last minor unit.

Read `events.py`, then `decisions.py`; contradictions are in `judgement.py`.
"""
