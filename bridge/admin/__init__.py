"""What operators and orchestrators ask the process over HTTP."""
