"""Contact: every word that is said to a borrower.

Reminders, calls, letters, demand notices and visits, promises, hardship and refusals. No attempt
goes out without a permit, and a refused permit is an event that names its rule and the next allowed
time. The outside world is reached through gateways behind ports; nothing counts as sent without a
receipt.
"""
