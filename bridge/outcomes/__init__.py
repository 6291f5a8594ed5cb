"""What goes out, as records: answers, and how every run begins and ends."""
