"""How long something is kept under several bases, and which of its fields: the combination rules and their vectors."""

from collections.abc import Iterable
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.policy.keeping import Kept, Standing, fields_kept, keep_until, living
from chassis.policy.retention import Basis
from tests.unit.calendar_schedule import CATEGORIES, calendar

PAID = date(2026, 5, 10)
LEFT = date(2026, 11, 24)
DAY = timedelta(days=1)
AMOUNT, INSTRUMENT, APPROVAL = (
    "PaymentRecord.amount",
    "PaymentRecord.masked_instrument",
    "PaymentRecord.approval_number",
)
SUPPLIED, BUSINESS = "PaymentRecord.supplied", "PaymentRecord.business_registration_number"
PHONE = "PaymentRecord.payer_phone"
PAYMENT_FIELDS = {AMOUNT, INSTRUMENT, APPROVAL, SUPPLIED, BUSINESS, PHONE}


def payment() -> list[Standing]:
    """The last payment of a member who has left, under all bases that a payment stands under."""
    paid = [Standing.under(calendar(), name, PAID) for name in ("R-09b", "R-10", "R-11")]
    return [Standing.under(calendar(), "R-01", LEFT), *paid]


def of_payment(standings: Iterable[Standing], today: date) -> set[str]:
    """What lives of the payment's own fields: a category keeps fields of other messages besides."""
    return PAYMENT_FIELDS & fields_kept(standings, today)


def standing(basis: Basis, last_day: date | None, *, name: str = "", keeps: str = "field") -> Standing:
    """A basis of no category in particular."""
    return Standing(name or basis.value, basis, last_day, frozenset({keeps} if keeps else ()))


# --- the overlap vectors -----------------------------------------------------------------------------------------


def test_a_payment_is_kept_as_long_as_the_longest_law_says() -> None:
    """LC-10, R-09b, R-10, R-11: max(2031-05-10, 2031-05-10, 2032-03-31); the tax row decides."""
    assert Kept(date(2032, 3, 31), conflict=False, decided_by=("R-10",)) == keep_until(payment())


def test_a_payment_loses_its_fields_one_basis_at_a_time() -> None:
    """LC-10, R-01, R-09b, R-10: the phone goes when the member leaves, what tax does not need after 2031-05-10."""
    tax = {AMOUNT, APPROVAL, BUSINESS}

    assert of_payment(payment(), LEFT - DAY) == PAYMENT_FIELDS
    assert of_payment(payment(), LEFT) == PAYMENT_FIELDS - {PHONE}
    assert of_payment(payment(), date(2031, 5, 10)) == PAYMENT_FIELDS - {PHONE}
    assert of_payment(payment(), date(2031, 5, 11)) == tax
    assert of_payment(payment(), date(2032, 3, 31)) == tax
    assert fields_kept(payment(), date(2032, 4, 1)) == frozenset()


def test_a_member_who_has_left_leaves_only_what_is_due_or_has_a_period() -> None:
    """LC-02, R-01, R-04: profile and contacts are due on the day of the withdrawal; a misuse record has its year."""
    assert date(2026, 11, 23) == keep_until([Standing.under(calendar(), "R-01", LEFT)]).until
    assert date(2027, 11, 24) == keep_until([Standing.under(calendar(), "R-04", LEFT)]).until


def test_a_withdrawn_consent_takes_the_inquiry_and_leaves_the_complaint() -> None:
    """LC-12, R-05, R-09c: the body goes at once, the resolution stays three years under the law."""
    closed = date(2026, 10, 1)
    inquiry = [
        Standing.under(calendar(), "R-05", closed, ended_on=LEFT),
        Standing.under(calendar(), "R-09c", closed),
    ]

    assert "InquiryRecord.body" in fields_kept(inquiry, LEFT - DAY)
    assert "InquiryRecord.body" not in fields_kept(inquiry, LEFT)
    assert "InquiryRecord.resolution" in fields_kept(inquiry, LEFT)
    assert Kept(date(2029, 10, 1), conflict=False, decided_by=("R-09c",)) == keep_until(inquiry)
    assert ["R-09c"] == [kept.category for kept in living(inquiry, LEFT)]


def test_a_hold_has_no_end() -> None:
    """LC-13: a prosecutor's order keeps the payment beyond every period, all the fields that it names and no other."""
    held = [*payment(), standing(Basis.HOLD, None, name="hold", keeps=INSTRUMENT)]

    assert Kept(None, conflict=False, decided_by=("hold",)) == keep_until(held)
    assert {INSTRUMENT} == fields_kept(held, date(2040, 1, 1))


def test_a_minimum_beyond_a_maximum_is_a_conflict() -> None:
    """SE-05, R-10, R-25: credit information at most to 2031-11-24, tax at least to 2032-03-31: CONFLICT, and kept."""
    user = calendar(credit_information_user=True)
    conflicting = [Standing.under(user, "R-25", LEFT), Standing.under(user, "R-10", PAID)]

    assert date(2031, 11, 24) == conflicting[0].last_day
    assert Kept(date(2032, 3, 31), conflict=True, decided_by=("R-10",)) == keep_until(conflicting)
    assert AMOUNT in fields_kept(conflicting, date(2032, 3, 31))


def test_a_replaced_card_goes_and_its_masked_view_stays() -> None:
    """R-03, R-09b: the number is due on the day of the replacement; the payment keeps what names no card."""
    assert Standing.under(calendar(), "R-03", LEFT).lives(LEFT) is False
    assert INSTRUMENT in fields_kept(payment(), LEFT)


# --- the rules ---------------------------------------------------------------------------------------------------


def test_a_maximum_cuts_what_only_will_would_keep() -> None:
    """SE-05: a consent or a contract never keeps beyond a statutory maximum, and no conflict comes of it."""
    for basis in (Basis.CONSENT, Basis.CONTRACT):
        for end in (date(2035, 1, 1), None):
            both = [standing(basis, end), standing(Basis.LAW_MAX, date(2031, 11, 24), name="R-25", keeps="")]

            assert Kept(date(2031, 11, 24), conflict=False, decided_by=("R-25",)) == keep_until(both)
            assert {"field"} == fields_kept(both, date(2031, 11, 24))
            assert frozenset() == fields_kept(both, date(2031, 11, 25))


def test_a_maximum_lengthens_nothing() -> None:
    """SE-05: what ends before its maximum ends then; a maximum is no ground to keep."""
    shorter = [standing(Basis.CONSENT, date(2030, 1, 1)), standing(Basis.LAW_MAX, date(2031, 11, 24))]

    assert date(2030, 1, 1) == keep_until(shorter).until
    assert Kept(date.min, conflict=False, decided_by=()) == keep_until(shorter[1:])
    assert frozenset() == fields_kept(shorter[1:], date(2026, 1, 1))


def test_the_first_maximum_decides_and_a_hold_goes_beyond_it() -> None:
    """LC-13: an order of preservation is another law's, so no maximum ends it."""
    maxima = [standing(Basis.LAW_MAX, date(2031, 1, 1)), standing(Basis.LAW_MAX, date(2030, 1, 1), name="first")]

    assert ("first",) == keep_until([*maxima, standing(Basis.CONSENT, None)]).decided_by
    assert Kept(None, conflict=False, decided_by=("HOLD",)) == keep_until([*maxima, standing(Basis.HOLD, None)])


def test_a_statutory_minimum_is_not_ended_by_will() -> None:
    """LC-10, LC-12: a withdrawal of consent never ends what a law keeps."""
    assert date(2031, 5, 10) == Standing.under(calendar(), "R-09b", PAID, ended_on=LEFT).last_day


def test_a_consent_withdrawn_after_its_period_does_not_prolong_it() -> None:
    """LC-12, R-06: the earlier of the two days counts."""
    received = date(2026, 1, 10)

    assert date(2026, 2, 10) == Standing.under(calendar(), "R-06", received, ended_on=LEFT).last_day
    assert date(2026, 1, 19) == Standing.under(calendar(), "R-06", received, ended_on=date(2026, 1, 20)).last_day
    assert date(2026, 1, 19) == Standing.under(calendar(), "R-06", None, ended_on=date(2026, 1, 20)).last_day


def test_what_has_not_begun_to_run_has_no_end() -> None:
    """R-09a: as long as the contract lasts nobody knows the end, and it cannot conflict with a maximum yet."""
    open_ = Standing.under(calendar(), "R-09a", None)

    assert Kept(None, conflict=False, decided_by=("R-09a",)) == keep_until([open_])
    assert not keep_until([open_, standing(Basis.LAW_MAX, date(2030, 1, 1))]).conflict
    assert frozenset(CATEGORIES["R-09a"].keeps) == fields_kept([open_], date(2050, 1, 1))


def test_nothing_is_kept_without_a_basis() -> None:
    """LC-01: what stands under nothing is due."""
    assert Kept(date.min, conflict=False, decided_by=()) == keep_until([])
    assert frozenset() == fields_kept([], LEFT)


bases = st.builds(
    Standing,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(Basis),
    st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.frozensets(st.sampled_from("vwxyz")).map(lambda names: names | {"always"}),
)


@given(st.lists(bases, max_size=6), st.dates(date(2025, 12, 31), date(2028, 1, 1)))
def test_a_thing_lives_exactly_as_long_as_one_of_its_fields(standings: list[Standing], today: date) -> None:
    """LC-10: its last day is the last of its last field; what lives shrinks from day to day and never grows."""
    until = keep_until(standings).until
    now, later = fields_kept(standings, today), fields_kept(standings, today + DAY)

    assert (until is None or today <= until) == bool(now)
    assert later <= now


@given(st.lists(bases, max_size=6))
def test_no_order_of_the_bases_matters_and_no_minimum_is_shortened(standings: list[Standing]) -> None:
    """LC-10: the combination is a maximum; whatever else stands beside it, a statutory minimum runs to its end."""
    kept = keep_until(standings)

    assert kept == keep_until(reversed(standings))
    assert all(
        kept.until is None or (s.last_day is not None and s.last_day <= kept.until)
        for s in standings
        if s.basis in (Basis.LAW_MIN, Basis.HOLD)
    )


def test_two_maxima_of_one_day_decide_in_one_order() -> None:
    """The same bases in another order are the same answer (SE-05): the first by its id is told."""
    contract, first, second = (
        Standing("c", Basis.CONTRACT, None),
        Standing("a", Basis.LAW_MAX, date(2026, 1, 1)),
        Standing("b", Basis.LAW_MAX, date(2026, 1, 1)),
    )
    assert keep_until([contract, first, second]) == keep_until([contract, second, first])
