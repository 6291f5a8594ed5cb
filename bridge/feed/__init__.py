"""How every run ends, found out and announced: the sweep, the watches, and callbacks."""
