"""Talks about one case and the agreement that may come of them.

Stream      mediation.mediation-<case_id>, one for the case; each referral opens a round of talks
            or is taken up by those that are open
Life        not taken -> invited -> talking | proposed -> in force -> over, and again
            in force -> breached -> proposed anew, where the breach was none
Invariants  a proposed plan adds up to its settlement; money paid in = allocated to instalments
            + surplus + noted after a breach; every round that was taken ends by an event that says
            how
"""
