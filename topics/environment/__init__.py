"""The environment that the contract fixes: which variables there are, and how they are read.

`sections` declares them, `reader` finds their values. `outlet` is the way out to stderr, which nobody may be reading.
Both the daemon and the workers build on it.
"""
