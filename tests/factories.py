"""Rows whose every default is valid; a test names only what it is about.

Each owner of a part adds the makers of its rows here.
"""

from itertools import count
from typing import Any

from models import Role, User, UserStatus
from tests.conftest import NOW

_numbers = count(1)


def make_user(role: Role = Role.STAFF, **fields: Any) -> User:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "username": f"user{number}",
        "role": role,
        "status": UserStatus.ACTIVE,
        "name": f"User {number}",
        "email": f"user{number}@example.org",
        "created_at": NOW,
    }
    user: User = User.create(**(defaults | fields))
    return user
