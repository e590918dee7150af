"""Training and decoding of softalign and of other toolkits, measured by turns: `make bench-peers`.

The modules `session` and `*_worker` run in the environment of one toolkit: those of the peers without what softalign
depends on.
"""
