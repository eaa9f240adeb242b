"""Feeds: generated, spoilt on purpose, counted. Pure: lines in, lines and numbers out."""
