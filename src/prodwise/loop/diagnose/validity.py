"""Certificates and tokens: what we saw of them ourselves, and what programs report. A valid one speaks against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prodwise.loop.detect.certificate import DAY_S, moment, named, standing, told
from prodwise.loop.diagnose import readings as read
from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.case import Case
from prodwise.loop.diagnose.finding import Finding, hypothesis
from prodwise.loop.diagnose.resources import felt, resting_on
from prodwise.loop.diagnose.sorts import Sort, about_token
from prodwise.model.certificate import Credential, Kind, Standing
from prodwise.model.diagnosis import Cause, Hypothesis
from prodwise.model.outside import WHOLE_APP


def certificate(case: Case) -> Iterator[Hypothesis]:
    """A certificate or token is not valid any more: as we saw, or as programs report."""
    found, hearsay = resting_on(case, list(_seen(case)), Sort.CERTIFICATE)
    if not felt(case) or not any(one.weight > 0 for one in found):
        return
    ended = [one for one, weight in refused(case) if weight > 0] or due(case)
    if ended and standing(ended[0], case.now) is Standing.UNKNOWN:
        when = f"{moment(ended[0].not_after)}{_when(ended[0], case)}"
        text = f"{named(ended[0])} was to run out on {when}; whether it was renewed is not known yet"
    elif ended:
        text = f"{told(ended[0], case.now)}{_when(ended[0], case)}{_whose(ended[0], case)}"
    else:
        said = read.title_of(read.told_of(case, Sort.CERTIFICATE))
        text = f"a certificate or token is not valid, as programs report: {said}"
    yield hypothesis(Cause.CERTIFICATE, text, found, ended[0].subject if ended else "", hearsay=hearsay)


def _when(seen: Credential, case: Case) -> str:
    """How long before the onset it ended, where that is known."""
    late_s = case.onset - seen.not_after if seen.not_after is not None and seen.not_after <= case.now else None
    if late_s is None or late_s > w.CERTIFICATE_OVER[-1][0]:
        return ""
    if late_s < 1:
        return ", just when this began"
    return f", {f'{late_s:.0f} s' if late_s < 120 else f'{late_s / 60:.0f} min'} before this began"


def _whose(seen: Credential, case: Case) -> str:
    """Nothing where its name says so already."""
    name = case.service or "the app"
    if case.service in seen.services:
        return ""
    return f"; {name} rests on it" if seen.services else f"; {name} may use it"


def _seen(case: Case) -> Iterator[Finding]:
    ended = refused(case)
    for weight in sorted({weight for _, weight in ended}, reverse=True)[:1]:
        yield Finding(weight, read.ids(case, *(one for one, its in ended if its == weight)))
    if not any(its > 0 for _, its in ended) and (waited := due(case)):
        yield Finding(w.CERTIFICATE_DUE, read.ids(case, *waited))
    fine = _all_fine(case)
    if fine and not ended and not any(about_token(one.title) for one in read.told_of(case, Sort.CERTIFICATE)):
        yield Finding(w.CERTIFICATES_VALID, read.ids(case, *fine))


def refused(case: Case) -> list[tuple[Credential, float]]:
    """Those that are refused and were by the onset, with their weight, the heaviest first. 0: for too long, or for all we know
    always, so that it is cited only."""
    found = [(one, _weight(one, case)) for one in mine(case) if standing(one, case.now).refused]
    return sorted(((one, its) for one, its in found if its is not None), key=lambda pair: (-pair[1], pair[0].id))


def due(case: Case) -> list[Credential]:
    """Those that were to run out within the hour before the onset, and were not looked at since. What lives for less than a day
    is renewed all the time."""
    limit_s = w.CERTIFICATE_OVER[0][0]
    found = []
    for one in mine(case):
        ends, begins = one.not_after, one.not_before
        if (
            ends is not None
            and one.fine_at
            and one.at < ends <= case.now
            and (begins is None or ends - begins >= DAY_S)
        ):
            found += [one] if -w.ONSET_TOLERANCE_S <= case.onset - ends <= limit_s else []
    return sorted(found, key=lambda one: one.id)


def _weight(seen: Credential, case: Case) -> float | None:
    """By the time from when it ended to the onset; None where it ended later."""
    ended = seen.not_after if standing(seen, case.now) is Standing.OVER and (seen.not_after or 0) <= case.now else None
    if ended is None and not seen.fine_at:
        return 0.0  # nobody knows since when; a client may have reasons of its own to trust it
    at = ended if ended is not None else min(seen.bad_at, max(seen.fine_at, case.onset))
    late_s = case.onset - at
    if late_s < -w.ONSET_TOLERANCE_S:
        return None
    return next((weight for limit, weight in w.CERTIFICATE_OVER if late_s <= limit), 0.0)


def _all_fine(case: Case) -> list[Credential]:
    """Certificates, each seen valid since the onset; none where one of them was not seen."""
    ours = [one for one in mine(case) if one.kind is Kind.CERTIFICATE]
    return ours if all(one.at >= case.onset and standing(one, case.now).valid for one in ours) else []


def explains(case: Case) -> Iterator[Finding]:
    """Against our own changes and faults, where one ended just before."""
    if ended := [one for one, weight in refused(case) if weight >= w.CERTIFICATE_OVER[0][1]]:
        yield Finding(w.CERTIFICATE_EXPLAINS, read.ids(case, *ended))


def unseen(case: Case) -> list[str]:
    """Of certificates that the service rests on."""
    said = []
    for one in mine(case):
        if standing(one, case.now) is Standing.UNKNOWN:
            said.append(f"whether {named(one)} is valid: {one.why or 'it was to run out, and was not looked at since'}")
        elif one.kind is Kind.CERTIFICATE and one.at < case.onset and standing(one, case.now).valid:
            said.append(f"whether {named(one)} is still the one that was valid on {moment(one.at)}")
    return said


def mine(case: Case) -> Sequence[Credential]:
    """Those that the service, or what it needs, rests on; those that belong to no service may be anybody's."""
    names = {case.service, *case.needed()}
    return [one for one in case.credentials if case.service == WHOLE_APP or not one.services or names & {*one.services}]
