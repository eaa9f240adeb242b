"""Mediation: agreements, and whether they are kept.

It takes a case that talking may still settle, invites the borrower, records what is proposed and
signed, and matches the instalments with the money that comes in. While an agreement is kept nobody
collects; one that is breached or fulfilled goes back to intake with its reason.
"""
