"""What operators see: log events, metrics, and the names of all of them."""
