"""The claim of one case: what interrupts its limitation, the suit, the judgment, enforcement.

Stream      legal.claim-<case_id>; it begins with the first act that interrupts limitation, before
            any referral
Life        unreferred -> refused <-> filed -> registered -> judged -> not obeyed -> enforcing
            -> closed; closed from anywhere when intake closes the case; unreferred again when an
            agreement settled it, or its suit came to nothing
Invariants  nothing is filed while the gate names a missing item; money that the figure filed does
            not hold = noted + recovered; every claim that was taken ends by an event that says how
"""
