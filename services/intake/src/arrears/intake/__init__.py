"""Intake: the bank's feed and the one owner of a case's life.

It hears the core banking feed, opens a case for every delinquency episode of a loan, assesses it,
and decides by dated strategy which stage has the case: contact, mediation or legal. Money in and
closing are said here and nowhere else. It hears what the three stages report and never asks them.
"""
