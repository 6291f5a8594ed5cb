"""The environment that the contract fixes: which variables there are, and how they are read.

`sections` declares them, `reader` finds their values. Both the daemon and the workers build on it.
"""
