"""How fast the bridge is: `make bench` measures it beside the shortest loop and the usual handler."""
