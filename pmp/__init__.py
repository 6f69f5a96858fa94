"""The program: its rules in plain Python, for web hosts, workers and commands alike."""
