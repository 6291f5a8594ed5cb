"""What goes out: answers, and how every run begins and ends."""
