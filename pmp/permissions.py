"""What each role may do. Views name a permission, never a role."""

from enum import StrEnum

from models import Role


class Permission(StrEnum):
    """Something a user may do."""

    ACCOUNT = "account"  # own account: every signed-in user
    LOOK_UP = "look_up"
    DELEGATES = "delegates"  # let others look up on one's behalf
    PATIENT_SCHEDULE = "patient_schedule"  # a list of tomorrow's patients
    PRESCRIBING_READ = "prescribing_read"  # a prescriber's own entries
    REPORT_READ = "report_read"
    SUBMIT = "submit"
    ENTRY = "entry"  # type a record; staff do it from a paper form
    DISPENSING_READ = "dispensing_read"  # a pharmacy's own records
    THRESHOLD_REPORT_READ = "threshold_report_read"
    TICKET_OPEN = "ticket_open"
    STAFF_CONSOLE = "staff_console"
    REGISTRATION_DECIDE = "registration_decide"
    DELEGATE_DECIDE = "delegate_decide"  # agree that somebody is a user's delegate
    FAX_DESK = "fax_desk"
    DELIVERY_WATCH = "delivery_watch"
    LETTER_PRINT = "letter_print"
    TICKET_WORK = "ticket_work"
    TICKET_ROUTE = "ticket_route"  # who takes which kinds
    MATCH_DECIDE = "match_decide"  # who is one person; see any patient's file for it
    RULE_READ = "rule_read"
    RULE_WRITE = "rule_write"
    CASE_WORK = "case_work"
    SUBMISSION_READ_ALL = "submission_read_all"
    REPORTING_WATCH = "reporting_watch"  # who is late, reminders, exemptions
    REPORTING_POLICY_WRITE = "reporting_policy_write"
    LOOK_UP_REVIEW = "look_up_review"  # unusual look-ups
    PROTECTED_PERSONS = "protected_persons"  # who is on the list
    PRODUCT_READ = "product_read"  # the drug table, and what it does not know
    PRODUCT_WRITE = "product_write"
    WITHHELD_READ = "withheld_read"  # counts of what administrators alone may see
    ANNOUNCE = "announce"
    PUBLIC_PAGE_WRITE = "public_page_write"
    AUDIT_READ = "audit_read"
    USER_READ = "user_read"  # who has an account, and how it stands
    DISCLOSURE_WORK = "disclosure_work"  # accountings, requests; prepares official ones
    DISCLOSURE_RELEASE = "disclosure_release"  # official ones, of somebody else
    STATISTICS_READ = "statistics_read"
    USER_ADMINISTER = "user_administer"
    SIGN_IN_HELP = "sign_in_help"  # links, letters, lost second factors
    SETTINGS_WRITE = "settings_write"
    ROSTER_IMPORT = "roster_import"
    LICENCE_CONFIRM = "licence_confirm"  # whose account ends with the licence


_DELEGATE = frozenset(
    {
        Permission.ACCOUNT,
        Permission.LOOK_UP,
        Permission.PATIENT_SCHEDULE,
        Permission.REPORT_READ,
    }
)
_PARTICIPANT = _DELEGATE | frozenset(
    {
        Permission.DELEGATES,
        Permission.THRESHOLD_REPORT_READ,
        Permission.TICKET_OPEN,
    }
)
_STAFF = frozenset(
    {
        Permission.ACCOUNT,
        Permission.STAFF_CONSOLE,
        Permission.REGISTRATION_DECIDE,
        Permission.DELEGATE_DECIDE,
        Permission.LICENCE_CONFIRM,
        Permission.FAX_DESK,
        Permission.DELIVERY_WATCH,
        Permission.LETTER_PRINT,
        Permission.TICKET_WORK,
        Permission.MATCH_DECIDE,
        Permission.RULE_READ,
        Permission.CASE_WORK,
        Permission.SUBMISSION_READ_ALL,
        Permission.ENTRY,
        Permission.REPORTING_WATCH,
        Permission.LOOK_UP_REVIEW,
        Permission.PRODUCT_READ,
        Permission.PRODUCT_WRITE,
        Permission.SIGN_IN_HELP,
        Permission.USER_READ,
        Permission.DISCLOSURE_WORK,
        Permission.STATISTICS_READ,
        Permission.ANNOUNCE,
    }
)

ROLES: dict[Role, frozenset[Permission]] = {
    Role.PRACTITIONER: _PARTICIPANT | {Permission.PRESCRIBING_READ},
    Role.PHARMACY: _PARTICIPANT
    | {Permission.SUBMIT, Permission.ENTRY, Permission.DISPENSING_READ},
    Role.DELEGATE: _DELEGATE,
    Role.STAFF: _STAFF,
    Role.ANALYST: frozenset(
        {
            Permission.ACCOUNT,
            Permission.STAFF_CONSOLE,
            Permission.RULE_READ,
            Permission.PRODUCT_READ,
            Permission.STATISTICS_READ,
        }
    ),
    Role.ADMINISTRATOR: _STAFF
    | {
        Permission.RULE_WRITE,
        Permission.TICKET_ROUTE,
        Permission.REPORTING_POLICY_WRITE,
        Permission.PROTECTED_PERSONS,
        Permission.WITHHELD_READ,
        Permission.PUBLIC_PAGE_WRITE,
        Permission.AUDIT_READ,
        Permission.DISCLOSURE_RELEASE,
        Permission.USER_ADMINISTER,
        Permission.SETTINGS_WRITE,
        Permission.ROSTER_IMPORT,
    },
    Role.AUDITOR: frozenset(
        {
            Permission.ACCOUNT,
            Permission.STAFF_CONSOLE,
            Permission.AUDIT_READ,
            Permission.STATISTICS_READ,
        }
    ),
}


def can(role: Role, permission: Permission) -> bool:
    """Tell whether a role holds a permission."""
    return permission in ROLES[role]
