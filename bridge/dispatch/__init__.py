"""From a command to its one effect in Temporal: decide, ask, and say what came of it."""
