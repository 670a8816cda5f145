"""What people decide by hand, each act with a name and a reason."""
