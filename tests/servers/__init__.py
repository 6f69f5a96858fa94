"""Real servers on this machine that tests send to: carriers and a mail relay."""
