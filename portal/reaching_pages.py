"""The page “How the program reaches you”: a user's own, and staff's view of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from gateway import tasks
from models import ChannelName, User
from pmp import clock, clock_hours
from pmp.reaching import checks, fax_numbers, own_ways, texts
from pmp.wording import phone
from portal.access import signed_in_user
from portal.forms import rule_errors
from portal.forms.reaching import (
    CodeForm,
    EmailForm,
    FaxForm,
    FaxHoursForm,
    MobileForm,
    PreferredForm,
)

FORMS: dict[str, Any] = {
    "fax": FaxForm,
    "fax_hours": FaxHoursForm,
    "email": EmailForm,
    "mobile": MobileForm,
    "fax_code": CodeForm,
    "mobile_code": CodeForm,
    "preferred": PreferredForm,
}


def page(user: User, *, template: str, here: str) -> ResponseReturnValue:
    """Show the page; a form that was sent is done, or comes back with what is wrong.

    `here` is the page's address, to which it goes on when all went well.
    """
    step = request.form.get("step", "")
    if request.method == "POST" and step in _BUTTONS:
        _BUTTONS[step](user)
        return redirect(here, 303)
    form = FORMS[step](prefix=f"{step}-") if step in FORMS else None
    if request.method == "POST" and form is not None and form.validate():
        with rule_errors(form):
            if said := _STEPS[step](user, form):
                flash(said)
                return redirect(here, 303)
    return _shown(user, template, step, form)


def _shown(user: User, template: str, step: str, sent: Any) -> ResponseReturnValue:
    user = own_ways.get(user.id)  # a rule that refused may have changed the row in hand
    chosen = user.preferred_channel
    number = own_ways.fax_of(user)
    values: dict[str, dict[str, str]] = {
        "fax": {"fax": phone(number)},
        "fax_hours": _hours_of(number),
        "email": {"email": user.email or ""},
        "mobile": {"mobile": phone(user.mobile)},
        "fax_code": {},
        "mobile_code": {},
        "preferred": {"channel": chosen.value if chosen else ""},
    }
    forms = {
        name: sent
        if name == step and sent is not None
        else kind(prefix=f"{name}-", formdata=None, **values[name])
        for name, kind in FORMS.items()
    }
    body = render_template(
        template,
        whose=user,
        ways=own_ways.overview(user, at=clock.now()),
        event_words=own_ways.event_words,
        forms=forms,
        form=sent,
        is_own=user == signed_in_user(),
    )
    wrong = sent is not None and (sent.errors or getattr(sent, "warned", False))
    return body, 422 if wrong else 200


def _fax(user: User, form: FaxForm) -> str:
    """Have a test page sent; a number that is a mobile is asked about once."""
    number = form.fax.data or ""
    if not form.anyway.data and tasks.is_mobile(number):
        form.warned = True
        words = (
            f"{phone(number)} is listed as a mobile, which answers no fax. Check it, or"
            " tick that you want to use it all the same."
        )
        form.fax.errors = [*form.fax.errors, words]
        return ""
    check = own_ways.prove_fax(user, number=number, by=signed_in_user(), at=clock.now())
    return (
        f"A test page is being faxed to {phone(check.address)}. Type its code here when"
        " it has come."
    )


def _fax_hours(user: User, form: FaxHoursForm) -> str:
    hours = own_ways.choose_fax_hours(
        user,
        start=_hour(form.start.data),
        end=_hour(form.end.data),
        by=signed_in_user(),
        at=clock.now(),
    )
    if not hours:
        return "Faxes come whenever the program faxes."
    return f"Faxes come from {clock_hours.spoken_hours(hours)}."


def _hour(chosen: str | None) -> int | None:
    return int(chosen) if chosen else None


def _hours_of(number: str) -> dict[str, str]:
    row = fax_numbers.known(number)
    start, _, end = ((row.hours if row else "") or "").partition("-")
    return {"start": start, "end": end}


def _email(user: User, form: EmailForm) -> str:
    by, at = signed_in_user(), clock.now()
    check = own_ways.prove_email(user, email=form.email.data or "", by=by, at=at)
    return f"A mail with a link is on its way to {check.address}."


def _mobile(user: User, form: MobileForm) -> str:
    check = own_ways.prove_mobile(
        user,
        number=form.mobile.data or "",
        agreed=bool(form.agreed.data),
        by=signed_in_user(),
        at=clock.now(),
    )
    return f"A code is being texted to {phone(check.address)}. It is good for an hour."


def _code(user: User, form: CodeForm, channel: ChannelName) -> str:
    check = checks.typed(
        user,
        channel=channel,
        code=form.code.data or "",
        by=signed_in_user(),
        at=clock.now(),
    )
    return f"{phone(check.address)} is confirmed."


def _preferred(user: User, form: PreferredForm) -> str:
    channel = ChannelName(form.channel.data) if form.channel.data else None
    own_ways.prefer(user, channel, by=signed_in_user(), at=clock.now())
    return "This choice is kept."


def _give_up(user: User) -> None:
    channel = request.form.get("channel", "")
    if channel in {each.value for each in checks.KINDS}:
        by, at = signed_in_user(), clock.now()
        checks.give_up(user, ChannelName(channel), by=by, at=at)
        flash("The code is no longer asked for. Nothing was changed.")


def _remove_mobile(user: User) -> None:
    texts.forget_mobile(user, by=signed_in_user(), at=clock.now())
    flash("No more text messages are sent.")


_STEPS: dict[str, Callable[[User, Any], str]] = {
    "fax": _fax,
    "fax_hours": _fax_hours,
    "email": _email,
    "mobile": _mobile,
    "fax_code": partial(_code, channel=ChannelName.FAX),
    "mobile_code": partial(_code, channel=ChannelName.SMS),
    "preferred": _preferred,
}
_BUTTONS: dict[str, Callable[[User], None]] = {
    "give_up": _give_up,
    "remove_mobile": _remove_mobile,
}
