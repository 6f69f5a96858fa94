"""Email, fax and letters: what the worker does with the wires."""
