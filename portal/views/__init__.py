"""The portal's pages, one module a noun; each has a blueprint called `bp`."""

BLUEPRINTS = (
    "portal.views.home",
    "portal.views.account",
    "portal.views.health",
    "portal.views.register",
    "portal.views.look_up",
    "portal.views.submissions",
    "portal.views.dispensing",
    "portal.views.dispensing_entries",
    "portal.views.threshold_reports",
    "portal.views.tickets",
    "portal.views.staff",
    "portal.views.staff_faxes",
    "portal.views.staff_registrations",
    "portal.views.staff_submissions",
    "portal.views.staff_deliveries",
    "portal.views.staff_tickets",
    "portal.views.staff_rules",
    "portal.views.staff_audit",
    "portal.views.hooks",
)
