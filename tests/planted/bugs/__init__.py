"""Bugs, one a module: `plant` puts it into the process."""
