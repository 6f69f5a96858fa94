"""The numbers and addresses at which recipients are reached, and how sure they are.

A fax number is proven by a page with a code that comes back (`checks`); what the
machines there call themselves is watched (`stations`); a number that is somebody else's
is blocked (`fax_numbers`); text messages go to who agreed to them (`texts`). Which of
the ways a message takes is decided in pmp.deliveries.contacts.
"""
