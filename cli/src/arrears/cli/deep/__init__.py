"""The ten laws of the proof, checked on what lies in tables and topics.

Nothing here is imported from the code that wrote them: JSON, SHA-256 and the names of columns and
of the envelope's attributes are all that is known. What needs the domain (timers, projections) is
asked of each service's own `rebuild`.
"""
