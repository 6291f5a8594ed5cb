"""What happened to a command: found by ids, places and times, never by reading a topic through."""
