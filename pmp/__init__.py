"""The program's rules: what may happen, when, and by whom."""
