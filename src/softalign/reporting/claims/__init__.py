"""What the runs say about each claim: the claims, their tests, and the one way from rows to a verdict."""
