"""History: what happened to each case, proved and in plain words.

It decides nothing. From the topics of all services it orders the full history of every case,
answers as of any business day, checks the hash chains, exports the canonical file whose digest
proves two runs equal, and keeps the figures that reports read.
"""
