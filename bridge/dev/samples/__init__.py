"""Sample commands of every kind, and the outcomes that each must have."""
