"""The conformance cells of every op, one file an op: what it must compute on every target, and what it must refuse."""
