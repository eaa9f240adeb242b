"""One person, over all loans: what was said to them, what they answered, and what protects them.

Stream      contact.borrower-<borrower id>
Life        referrals become treatments, treatments become attempts, each attempt needs a permit;
            a treatment ends once: reached, unreachable or stopped
Invariant   no attempt without a permit; at most three contacts of a person and day that connected,
            or may have

Read in this order: events (and promise_events), state, evolve, commands, decisions; then
treatments, attempts, outcomes, promises, hardship, stops, debtor; at last waiting and timers.
"""
