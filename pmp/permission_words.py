"""What a permission lets somebody do, in words: for who decides about a role."""

from pmp.permissions import Permission
from pmp.wording import words

WORDS = {
    Permission.ACCOUNT: "keep an account of one's own",
    Permission.LOOK_UP: "look up patients",
    Permission.DELEGATES: "let others look up on one's behalf",
    Permission.PATIENT_SCHEDULE: "look up a list of tomorrow's patients",
    Permission.PRESCRIBING_READ: "see one's own prescribing",
    Permission.REPORT_READ: "read patient reports",
    Permission.SUBMIT: "submit files",
    Permission.ENTRY: "type records",
    Permission.DISPENSING_READ: "see a pharmacy's own dispensing",
    Permission.THRESHOLD_REPORT_READ: "read threshold reports",
    Permission.TICKET_OPEN: "report an inaccuracy",
    Permission.STAFF_CONSOLE: "open the work queues",
    Permission.REGISTRATION_DECIDE: "decide on registrations",
    Permission.DELEGATE_DECIDE: "agree to delegates of users",
    Permission.FAX_DESK: "work on faxes",
    Permission.DELIVERY_WATCH: "watch deliveries and fax numbers",
    Permission.LETTER_PRINT: "print letters",
    Permission.TICKET_WORK: "work on tickets",
    Permission.TICKET_ROUTE: "say who takes which tickets",
    Permission.MATCH_DECIDE: "decide who is one person and see any patient's file",
    Permission.RULE_READ: "read threshold rules",
    Permission.RULE_WRITE: "write threshold rules",
    Permission.CASE_WORK: "work on threshold cases",
    Permission.SUBMISSION_READ_ALL: "see all submissions",
    Permission.REPORTING_WATCH: "watch who reports",
    Permission.REPORTING_POLICY_WRITE: "set when pharmacies must report",
    Permission.LOOK_UP_REVIEW: "review unusual look-ups",
    Permission.PROTECTED_PERSONS: "keep the list of protected persons",
    Permission.PRODUCT_READ: "read the drug table",
    Permission.PRODUCT_WRITE: "change the drug table",
    Permission.WITHHELD_READ: "see what only administrators may",
    Permission.ANNOUNCE: "write announcements",
    Permission.PUBLIC_PAGE_WRITE: "write public pages",
    Permission.DISCLOSURE_WORK: "give patients their record, prepare official requests",
    Permission.DISCLOSURE_RELEASE: "release official requests",
    Permission.STATISTICS_READ: "read statistics",
    Permission.SIGN_IN_HELP: "help those who cannot sign in",
    Permission.LICENCE_CONFIRM: "decide whose account ends with the licence",
    Permission.AUDIT_READ: "read the audit record",
    Permission.USER_READ: "see accounts",
    Permission.USER_ADMINISTER: "suspend accounts, change roles, make staff accounts",
    Permission.SETTINGS_WRITE: "change the program's settings",
    Permission.ROSTER_IMPORT: "import the roster",
}


def told(permission: Permission) -> str:
    """Say what a permission lets somebody do."""
    return WORDS.get(permission) or words(permission).lower()
