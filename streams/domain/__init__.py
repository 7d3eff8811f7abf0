"""What is decided about money: synchronous, no I/O, no clock."""
