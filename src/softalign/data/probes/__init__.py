"""Probes: embedded corpora whose target follows from the source by a rule, so that what a network can do is known.

`recall` asks for one marked value after a lag, `copy` and `reverse` for a whole sequence. docs/data/probes.md is
their data card.
"""
