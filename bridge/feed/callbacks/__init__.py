"""The server's calls when a run has ended: they only say where to look."""
