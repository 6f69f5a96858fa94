"""Real servers on this machine that tests send to: a fax carrier and a mail relay."""
