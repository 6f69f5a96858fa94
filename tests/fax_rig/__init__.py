"""Real faxes on one machine: HylaFAX, soft modems, and a doctor's fax machine."""
