"""The hand-worked table: for a day, the latest event date that is due by each period, with article and reasoning.

The dates are literals, drafted by counting days in a calendar apart from the code under test and checked row by row
against the articles; nothing here computes them. The event's day does not count (민법 제157조), so the first day is the
next one; the period ends the day before the corresponding day (제160조②), or with the month that has no such day
(제160조③); a thing is due from the day after its end (법 제21조①). "Kept" means that the event ends today or later; the
date in a row is the last one that ended yesterday or earlier. The owner's facts are those of policy/settings.toml:
December year-end, half-yearly VAT, no roll over holidays, no auxiliary, no credit information.
"""

COLUMNS: dict[str, tuple[str, ...]] = {
    "at once": ("R-01", "R-02", "R-03", "R-19", "R-20", "R-21"),  # due on the event's own day: the day itself
    "35 days": ("R-26",),
    "1 month": ("R-06", "R-07"),
    "3 months": ("R-12", "R-22"),
    "6 months": ("R-09d",),
    "1 year": ("R-04", "R-23"),
    "2 years": ("R-13",),
    "3 years": ("R-05", "R-08", "R-09c", "R-14", "R-15", "R-16", "R-18"),
    "5 years": ("R-09a", "R-09b", "R-11", "R-17"),
    "10 years": ("R-24",),
    "5 years from the filing deadline": ("R-10",),
}
# No date of their own: R-25 binds nobody here (신용정보법 제20조의2), R-27 and R-28 end by two events together.
WITHOUT_DATE = ("R-25", "R-27", "R-28")

# The day, which is also the due date "at once" (법 제21조①), then the other columns in order: days by 제157조, months and
# years by 제160조, tax by 국세기본법 제85조의3②. The reasoning of a row stands above it.
_TABLE = """
# today    35 days    1 month    3 months   6 months   1 year     2 years    3 years    5 years    10 years   tax
# New Year: an event of 30 November has its first day 1 December, the corresponding day is today (제160조②): all months
#  ended yesterday. Tax: FY2013 was filed by 2014-03-31, kept through 2019-03-31; FY2014 is kept through 2020-03-31.
2020-01-01 2019-11-26 2019-11-30 2019-09-30 2019-06-30 2018-12-31 2017-12-31 2016-12-31 2014-12-31 2009-12-31 2013-12-31
# Leap day: 29 Feb of 2019, 2018, 2017, 2015 does not exist; a first day of 28 Feb ends on 27 Feb, a first day of 1 March
#  (event 28 Feb) ends today (제160조②), so it is kept still: 27 Feb.
2020-02-29 2020-01-24 2020-01-28 2019-11-28 2019-08-28 2019-02-27 2018-02-27 2017-02-27 2015-02-27 2010-02-27 2013-12-31
# The day after it: first day 1 March, end 29 Feb 2020 or 28 Feb: events of 28 February are due. One month: 30
#  January (first day 31 January, no such day, 제160조③) and 31 January (first day 1 February, 제160조②) both ended 29 Feb.
2020-03-01 2020-01-25 2020-01-31 2019-11-30 2019-08-31 2019-02-28 2018-02-28 2017-02-28 2015-02-28 2010-02-28 2013-12-31
# End of a short February: an event of 27 Feb has first day 28 Feb, its end is 27 Feb = yesterday; 28 Feb is kept.
2023-02-28 2023-01-23 2023-01-27 2022-11-27 2022-08-27 2022-02-27 2021-02-27 2020-02-27 2018-02-27 2013-02-27 2016-12-31
# Three years: 2020-02-29 (first day 1 March) ended yesterday by 제160조②, and 2020-02-28 (first day 29 Feb, no such day) with
#  the month by 제160조③. Both are due.
2023-03-01 2023-01-24 2023-01-31 2022-11-30 2022-08-31 2022-02-28 2021-02-28 2020-02-29 2018-02-28 2013-02-28 2016-12-31
# Event 1 March, first day 2 March, end 1 March: everything moves by a day. One month: event 1 Feb, end 1 March.
2023-03-02 2023-01-25 2023-02-01 2022-12-01 2022-09-01 2022-03-01 2021-03-01 2020-03-01 2018-03-01 2013-03-01 2016-12-31
# The day on which the policy came into force (부칙): plain months. Tax: FY2017, filed by 2018-03-31, ended 2023-03-31.
2023-06-09 2023-05-04 2023-05-08 2023-03-08 2022-12-08 2022-06-08 2021-06-08 2020-06-08 2018-06-08 2013-06-08 2017-12-31
# Year border: events of 30 Nov, 30 Sep, 30 June and 31 Dec ended 31 December (제160조②). 35 days: 26 Nov + 35 = 31 Dec
#  (제157조: the event's day does not count). Tax: FY2017; FY2018, filed by 2019-03-31, is kept through 2024-03-31.
2024-01-01 2023-11-26 2023-11-30 2023-09-30 2023-06-30 2022-12-31 2021-12-31 2020-12-31 2018-12-31 2013-12-31 2017-12-31
# The day before the leap day: event of 27 Feb 2023 (first day 28 Feb) ended 27 Feb 2024; 28 Feb 2023 has not.
2024-02-28 2024-01-23 2024-01-27 2023-11-27 2023-08-27 2023-02-27 2022-02-27 2021-02-27 2019-02-27 2014-02-27 2017-12-31
# One year: 2023-02-28 ends today, the day before 1 March (제160조②): kept, where a plain sum (28 Feb) would have destroyed
#  it already. So 27 Feb in each year without a leap day.
2024-02-29 2024-01-24 2024-01-28 2023-11-28 2023-08-28 2023-02-27 2022-02-27 2021-02-27 2019-02-27 2014-02-27 2017-12-31
# ... and is due today. Ten years: event 2014-02-28, first day 1 March 2014, end 29 Feb 2024. 2019-02-28 likewise.
2024-03-01 2024-01-25 2024-01-31 2023-11-30 2023-08-31 2023-02-28 2022-02-28 2021-02-28 2019-02-28 2014-02-28 2017-12-31
# Tax: FY2018 is kept through this very day (국세기본법 제85조의3②: 2019-03-31 + 5 years). Six months: 30 Sep has first day
#  1 Oct, end today; 29 Sep has first day 30 Sep, end 29 March: due.
2024-03-31 2024-02-24 2024-02-28 2023-12-30 2023-09-29 2023-03-30 2022-03-30 2021-03-30 2019-03-30 2014-03-30 2017-12-31
# Tax: FY2018 is due (its deadline 2019-03-31 was a Sunday; 국세기본법 제5조 and 민법 제161조 are off here). One month: 29 Feb
#  has first day 1 March, end 31 March. Three months: 31 December, first day 1 January.
2024-04-01 2024-02-25 2024-02-29 2023-12-31 2023-09-30 2023-03-31 2022-03-31 2021-03-31 2019-03-31 2014-03-31 2018-12-31
# Month of 30 days: 30 March has first day 31 March, there is no 31 April: it ends today with the month (제160조③), kept.
#  Three and six months: 30 January and 30 October likewise; the 29th ended yesterday.
2024-04-30 2024-03-25 2024-03-29 2024-01-29 2023-10-29 2023-04-29 2022-04-29 2021-04-29 2019-04-29 2014-04-29 2018-12-31
# Events of 30 and 31 March both ended 30 April (제160조③ and ②), those of 30 and 31 January and of October too.
2024-05-01 2024-03-26 2024-03-31 2024-01-31 2023-10-31 2023-04-30 2022-04-30 2021-04-30 2019-04-30 2014-04-30 2018-12-31
# Three months: event 28 Feb has first day 29 Feb, end 28 May, due; 29 Feb has first day 1 March, end 31 May, kept.
2024-05-29 2024-04-23 2024-04-28 2024-02-28 2023-11-28 2023-05-28 2022-05-28 2021-05-28 2019-05-28 2014-05-28 2018-12-31
# Three months: a plain sum ends 2024-02-29 on 29 May and would destroy it today; by 제160조② it ends 31 May. Six months:
#  29 Nov has first day 30 Nov, end 29 May: due.
2024-05-30 2024-04-24 2024-04-29 2024-02-28 2023-11-29 2023-05-29 2022-05-29 2021-05-29 2019-05-29 2014-05-29 2018-12-31
# Last day of the period of 2024-02-29 (three months). One month: 30 April has first day 1 May, end today: kept, 29 April not.
#  Six months: 30 Nov has first day 1 Dec, end today: kept.
2024-05-31 2024-04-25 2024-04-29 2024-02-28 2023-11-29 2023-05-30 2022-05-30 2021-05-30 2019-05-30 2014-05-30 2018-12-31
# Now they are due: 29 Feb, 30 April, 30 November. 35 days: 26 April + 35 = 31 May.
2024-06-01 2024-04-26 2024-04-30 2024-02-29 2023-11-30 2023-05-31 2022-05-31 2021-05-31 2019-05-31 2014-05-31 2018-12-31
# The year's last day: 30 Nov has first day 1 Dec, end today: kept, so 29 Nov; 30 Sep and 30 June likewise (제160조②). One
#  year: 30 Dec has first day 31 Dec, end 30 Dec: due.
2024-12-31 2024-11-25 2024-11-29 2024-09-29 2024-06-29 2023-12-30 2022-12-30 2021-12-30 2019-12-30 2014-12-30 2018-12-31
# The Korean day of the instants from 2024-12-31T15:00Z on: all of 2023, 2022, 2021, 2019 and 2014 is due (제160조②).
2025-01-01 2024-11-26 2024-11-30 2024-09-30 2024-06-30 2023-12-31 2022-12-31 2021-12-31 2019-12-31 2014-12-31 2018-12-31
# Events of 1 January (as the instant 2023-12-31T15:30Z, in Korea) have first day 2 January and ended 1 January 2025.
2025-01-02 2024-11-27 2024-12-01 2024-10-01 2024-07-01 2024-01-01 2023-01-01 2022-01-01 2020-01-01 2015-01-01 2018-12-31
# A year after a leap February: 2024-02-27 has first day 28 Feb, end 27 Feb: due. 28 Feb 2024 has first day 29 Feb, no such
#  day in 2025: ends today with the month (제160조③): kept.
2025-02-28 2025-01-23 2025-01-27 2024-11-27 2024-08-27 2024-02-27 2023-02-27 2022-02-27 2020-02-27 2015-02-27 2018-12-31
# 2024-02-28 and 2024-02-29 (first days 29 Feb and 1 March) both ended 28 Feb 2025; 2020-02-29 + 5 years likewise.
2025-03-01 2025-01-24 2025-01-31 2024-11-30 2024-08-31 2024-02-29 2023-02-28 2022-02-28 2020-02-29 2015-02-28 2018-12-31
# One month: 29 April has first day 30 April, end 29 May: due. Three months: 28 Feb has first day 1 March, end 31 May: kept.
#  Tax: FY2019, filed by 2020-03-31, ended 2025-03-31.
2025-05-30 2025-04-24 2025-04-29 2025-02-27 2024-11-29 2024-05-29 2023-05-29 2022-05-29 2020-05-29 2015-05-29 2019-12-31
# One month: 2025-04-30 ends today (first day 1 May), not on 30 May: kept. Six months: 30 Nov ends today, kept.
2025-05-31 2025-04-25 2025-04-29 2025-02-27 2024-11-29 2024-05-30 2023-05-30 2022-05-30 2020-05-30 2015-05-30 2019-12-31
# ... due: 30 April, 28 February, 30 November.
2025-06-01 2025-04-26 2025-04-30 2025-02-28 2024-11-30 2024-05-31 2023-05-31 2022-05-31 2020-05-31 2015-05-31 2019-12-31
# Six months: 30 Jan has first day 31 Jan, end 30 July: due; 31 Jan has first day 1 Feb, end today. One month: 29 June.
2025-07-31 2025-06-25 2025-06-29 2025-04-29 2025-01-30 2024-07-30 2023-07-30 2022-07-30 2020-07-30 2015-07-30 2019-12-31
# Six months: 28 Feb has first day 1 March, end today: kept; 27 Feb has first day 28 Feb, end 27 Aug: due. One month: 30 July.
2025-08-31 2025-07-26 2025-07-30 2025-05-30 2025-02-27 2024-08-30 2023-08-30 2022-08-30 2020-08-30 2015-08-30 2019-12-31
# Months ended 31 August: events of 31 July, 31 May, 28 February, 31 August of the years before.
2025-09-01 2025-07-27 2025-07-31 2025-05-31 2025-02-28 2024-08-31 2023-08-31 2022-08-31 2020-08-31 2015-08-31 2019-12-31
# The day of the last payment of the overlap case: 9 May in every year. Tax: FY2020, filed by 2021-03-31, ended 2026-03-31.
2026-05-10 2026-04-04 2026-04-09 2026-02-09 2025-11-09 2025-05-09 2024-05-09 2023-05-09 2021-05-09 2016-05-09 2020-12-31
# A day later everything moves by a day (monotone), the tax row does not: it steps once a year on 1 April.
2026-05-11 2026-04-05 2026-04-10 2026-02-10 2025-11-10 2025-05-10 2024-05-10 2023-05-10 2021-05-10 2016-05-10 2020-12-31
# The member leaves: at once (법 제21조①) means today is due itself; the misuse record of today starts its year.
2026-11-24 2026-10-19 2026-10-23 2026-08-23 2026-05-23 2025-11-23 2024-11-23 2023-11-23 2021-11-23 2016-11-23 2020-12-31
# Events of the 24th have first day 25th, ended the 24th; 35 days: 20 October + 35 = 24 November.
2026-11-25 2026-10-20 2026-10-24 2026-08-24 2026-05-24 2025-11-24 2024-11-24 2023-11-24 2021-11-24 2016-11-24 2020-12-31
# One month: 29 Oct has first day 30 Oct, end 29 Nov: due; 30 Oct has first day 31 Oct, no 31 Nov: ends today (제160조③).
2026-11-30 2026-10-25 2026-10-29 2026-08-29 2026-05-29 2025-11-29 2024-11-29 2023-11-29 2021-11-29 2016-11-29 2020-12-31
# 30 and 31 October ended 30 November. Three months: 30 and 31 August; six: 30 and 31 May, due together.
2026-12-01 2026-10-26 2026-10-31 2026-08-31 2026-05-31 2025-11-30 2024-11-30 2023-11-30 2021-11-30 2016-11-30 2020-12-31
# The filing deadline of FY2026 (법인세법 제60조). Tax: FY2021 ends today (2022-03-31 + 5 years), FY2020 is the last due. One
#  month: 27 Feb has first day 28 Feb, end 27 March: due; 28 Feb ends today.
2027-03-31 2027-02-23 2027-02-27 2026-12-30 2026-09-29 2026-03-30 2025-03-30 2024-03-30 2022-03-30 2017-03-30 2020-12-31
# Tax: FY2021 due. One month: 28 Feb has first day 1 March, end 31 March. Three months: 31 Dec, first day 1 January.
2027-04-01 2027-02-24 2027-02-28 2026-12-31 2026-09-30 2026-03-31 2025-03-31 2024-03-31 2022-03-31 2017-03-31 2021-12-31
# The misuse record of who left 2026-11-24 is kept through today (R-04, one year): 23 November.
2027-11-24 2027-10-19 2027-10-23 2027-08-23 2027-05-23 2026-11-23 2025-11-23 2024-11-23 2022-11-23 2017-11-23 2021-12-31
# ... and is due today: 24 November 2026 for R-04 and R-23.
2027-11-25 2027-10-20 2027-10-24 2027-08-24 2027-05-24 2026-11-24 2025-11-24 2024-11-24 2022-11-24 2017-11-24 2021-12-31
# Leap day again: five years: 28 Feb 2023 has first day 1 March, end today: kept, so 27 Feb. One year: 28 Feb 2027 likewise.
2028-02-29 2028-01-24 2028-01-28 2027-11-28 2027-08-28 2027-02-27 2026-02-27 2025-02-27 2023-02-27 2018-02-27 2021-12-31
# Due the day after: 28 Feb of 2027, 2026, 2025, 2023, 2018. One month: 30 and 31 January end 29 Feb (제160조③, ②).
2028-03-01 2028-01-25 2028-01-31 2027-11-30 2027-08-31 2027-02-28 2026-02-28 2025-02-28 2023-02-28 2018-02-28 2021-12-31
# Five years: 2024-02-29 ends today (first day 1 March): kept; 28 Feb 2024 has first day 29 Feb, ends today too: kept.
2029-02-28 2029-01-23 2029-01-27 2028-11-27 2028-08-27 2028-02-27 2027-02-27 2026-02-27 2024-02-27 2019-02-27 2022-12-31
# Five years: 2024-02-29 due. One year: 2028-02-29. Tax: FY2022 since 2028-04-01 (2023-03-31 + 5 years).
2029-03-01 2029-01-24 2029-01-31 2028-11-30 2028-08-31 2028-02-29 2027-02-28 2026-02-28 2024-02-29 2019-02-28 2022-12-31
# The payment of 2026-05-10 is kept through today (전상법 영 제6조①3, 전금법 제22조): 9 May.
2031-05-10 2031-04-04 2031-04-09 2031-02-09 2030-11-09 2030-05-09 2029-05-09 2028-05-09 2026-05-09 2021-05-09 2025-12-31
# The next day: R-09b and R-11 of 2026-05-10 are due, its tax row is not (through 2032-03-31): FY2025 is the last.
2031-05-11 2031-04-05 2031-04-10 2031-02-10 2030-11-10 2030-05-10 2029-05-10 2028-05-10 2026-05-10 2021-05-10 2025-12-31
# Five years: 2026-11-24 (first day 25 November) ends today (제160조②): kept, and 2030-11-24 of one year too.
2031-11-24 2031-10-19 2031-10-23 2031-08-23 2031-05-23 2030-11-23 2029-11-23 2028-11-23 2026-11-23 2021-11-23 2025-12-31
# ... due. Ten years (상법 제33조): 2021-11-24.
2031-11-25 2031-10-20 2031-10-24 2031-08-24 2031-05-24 2030-11-24 2029-11-24 2028-11-24 2026-11-24 2021-11-24 2025-12-31
# Leap day: five years: 28 Feb 2027 ends today (first day 1 March 2027, day before 1 March 2032): kept. Ten: 2022 likewise.
2032-02-29 2032-01-24 2032-01-28 2031-11-28 2031-08-28 2031-02-27 2030-02-27 2029-02-27 2027-02-27 2022-02-27 2025-12-31
# The tax row of 2026-05-10 is kept through today: FY2025 is the last due. Ten years: 30 March 2022.
2032-03-31 2032-02-24 2032-02-28 2031-12-30 2031-09-29 2031-03-30 2030-03-30 2029-03-30 2027-03-30 2022-03-30 2025-12-31
# ... due: all of FY2026 (deadline 2027-03-31, the later one; VAT of 2026-H2: 2027-01-25, 부가가치세법 제49조).
2032-04-01 2032-02-25 2032-02-29 2031-12-31 2031-09-30 2031-03-31 2030-03-31 2029-03-31 2027-03-31 2022-03-31 2026-12-31
# Far years: as 2024-12-31. Tax: FY2030, filed by 2031-03-31, ended 2036-03-31.
2036-12-31 2036-11-25 2036-11-29 2036-09-29 2036-06-29 2035-12-30 2034-12-30 2033-12-30 2031-12-30 2026-12-30 2030-12-31
# The last day of the property tests: a year back is 30 December, since 31 December has first day 1 January: ends today.
2040-12-31 2040-11-25 2040-11-29 2040-09-29 2040-06-29 2039-12-30 2038-12-30 2037-12-30 2035-12-30 2030-12-30 2034-12-31
# 2100 is no leap year (Gregorian): February has 28 days; 30 and 31 January ended 28 February. 35 days: 24 Jan + 35 = 28 Feb.
2100-03-01 2100-01-24 2100-01-31 2099-11-30 2099-08-31 2099-02-28 2098-02-28 2097-02-28 2095-02-28 2090-02-28 2093-12-31
"""


def due_dates() -> dict[str, dict[str, str | None]]:
    """The table as day -> category id -> due date, every id of the schedule in every row."""
    dues: dict[str, dict[str, str | None]] = {}
    for line in _TABLE.splitlines():
        if not line or line.startswith("#"):
            continue
        dates = line.split()
        columns = zip(COLUMNS.values(), dates, strict=True)
        dues[dates[0]] = {name: day for names, day in columns for name in names} | dict.fromkeys(WITHOUT_DATE)
    return dues


# An instant (UTC), the Korean day that it is, and what is due then of R-09b (5 years) and of R-12 (3 months).
INSTANTS = (
    ("2031-05-10T14:59:59+00:00", "2031-05-10", "2026-05-09", "2031-02-09"),  # 23:59:59 KST of the last day kept
    ("2031-05-10T15:00:00+00:00", "2031-05-11", "2026-05-10", "2031-02-10"),  # 00:00 KST: due (법 제21조①)
    ("2024-12-31T15:30:00+00:00", "2025-01-01", "2019-12-31", "2024-09-30"),  # the year has begun in Korea alone
    ("2024-12-31T14:30:00+00:00", "2024-12-31", "2019-12-30", "2024-09-29"),  # it has not: 31 December has a day to go
    ("2024-02-28T15:00:00+00:00", "2024-02-29", "2019-02-27", "2023-11-28"),  # a leap day only in Korea
    ("2024-02-29T15:00:00+00:00", "2024-03-01", "2019-02-28", "2023-11-30"),  # a leap day only in UTC
)

# An event's instant (UTC), its Korean day, and its last day kept under R-09b (5 years), R-12 (3 months) and R-10 (tax).
EVENTS = (
    # 1 January in Korea: first day 2 January; tax year 2025, filed by 2026-03-31. In UTC it would be a year earlier.
    ("2024-12-31T15:30:00+00:00", "2025-01-01", "2030-01-01", "2025-04-01", "2031-03-31"),
    # Still 31 December: first day 1 January, the corresponding days 1 January and 1 April; tax year 2024.
    ("2024-12-31T14:59:59+00:00", "2024-12-31", "2029-12-31", "2025-03-31", "2030-03-31"),
    # 29 February in Korea (first day 1 March); in UTC it is the 28th, whose first day has no counterpart in 2029.
    ("2024-02-28T15:00:00+00:00", "2024-02-29", "2029-02-28", "2024-05-31", "2030-03-31"),
    # 1 May in Korea: first day 2 May, end 1 August; in UTC 30 April, first day 1 May, end 31 July.
    ("2025-04-30T15:00:00+00:00", "2025-05-01", "2030-05-01", "2025-08-01", "2031-03-31"),
    # The last payment of the overlap case.
    ("2026-05-10T01:00:00+00:00", "2026-05-10", "2031-05-10", "2026-08-10", "2032-03-31"),
)
