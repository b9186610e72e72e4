"""Policies that are well-formed and wrong: one value of the policy, changed so that it contradicts another."""

from tests.unit.policy_documents import DOCUMENTS, Step

GET_MEMBER = "onggi.identity.v1.MemberService/GetMember"

CONTRADICTIONS: dict[str, tuple[str, tuple[Step, ...], object, str]] = {
    "blank where a reason has to stand": (
        "retention", ("categories", "R-09b", "reason"), "  ",
        "chapters/4-retention.toml: categories.R-09b.reason: ",
    ),
    # --- the statute, both ways: longer is over-retention, shorter is destruction too early ---
    "shorter than the statute": (
        "retention", ("categories", "R-09b", "period"), "4 years",
        "chapters/4-retention.toml: categories.R-09b.period: …is shorter than the statute",
    ),
    "longer than the statute": (
        "retention", ("categories", "R-09c", "period"), "5 years",
        "chapters/4-retention.toml: categories.R-09c.period: …over-retention",
    ),
    "a day longer than the statute": (
        "retention", ("categories", "R-12", "period"), "3 months 1 day",
        "chapters/4-retention.toml: categories.R-12.period: …over-retention",
    ),
    "open where a statute gives a period": (
        "retention", ("categories", "R-12", "period"), "open",
        "chapters/4-retention.toml: categories.R-12.period: …over-retention",
    ),
    "longer than a maximum": (
        "retention", ("categories", "R-25", "period"), "6 years",
        "chapters/4-retention.toml: categories.R-25.period: …over-retention",
    ),
    "a longer log without the owner's setting": (
        "retention", ("categories", "R-13", "when"), {},
        "chapters/4-retention.toml: categories.R-13.period: …over-retention",
    ),
    "an option shorter than its statute": (
        "retention", ("categories", "R-11", "when", "electronic_finance_role", "financial_institution"), "1 year",
        "chapters/4-retention.toml: categories.R-11.when.electronic_finance_role.financial_institution: …is shorter than",
    ),
    "an option that never ends": (
        "retention", ("categories", "R-11", "when", "electronic_finance_role", "auxiliary"), "open",
        "chapters/4-retention.toml: categories.R-11.when.electronic_finance_role.auxiliary: …over-retention",
    ),
    "a log shorter than its statute": (
        "retention", ("categories", "R-13", "when", "processing_log_years", "1"), "at once",
        "chapters/4-retention.toml: categories.R-13.when.processing_log_years.1: …is shorter than the statute's 1 year",
    ),
    "an option without its statute": (
        "retention", ("categories", "R-11", "statute_when"), {},
        "chapters/4-retention.toml: categories.R-11.statute_when.electronic_finance_role.auxiliary: …is missing",
    ),
    "a statute of no option": (
        "retention", ("categories", "R-12", "statute_when"), {"pci_scope": {"true": "3 months"}},
        "chapters/4-retention.toml: categories.R-12.statute_when.pci_scope.true: …of no period",
    ),
    "a statute that no option has": (
        "retention", ("categories", "R-11", "statute"), "7 years",
        "chapters/4-retention.toml: categories.R-11.statute: …of no option",
    ),
    "an option's statute that is no period": (
        "retention", ("categories", "R-13", "statute_when", "processing_log_years", "1"), "a year",
        "chapters/4-retention.toml: categories.R-13.statute_when.processing_log_years.1: …is not a period",
    ),
    "a period that the options decide otherwise": (
        "retention", ("categories", "R-11", "period"), "3 years",
        "chapters/4-retention.toml: categories.R-11.period: …not the longest of when",
    ),
    "a statute under a contract": (
        "retention", ("categories", "R-01", "statute"), "5 years",
        "chapters/4-retention.toml: categories.R-01.statute: …stands on no law",
    ),
    # --- basis, store, holders, start ---
    "a contract with a consent": (
        "retention", ("categories", "R-01", "consent"), "marketing",
        "chapters/4-retention.toml: categories.R-01.consent: …of no use under CONTRACT",
    ),
    "an archive without a purpose of the law": (
        "retention", ("categories", "R-10", "purpose"), "support",
        "chapters/4-retention.toml: categories.R-10.purpose: …is of the kind 'contract'",
    ),
    "what a law has kept, not kept apart": (
        "retention", ("categories", "R-12", "store"), "live",
        "chapters/4-retention.toml: categories.R-12.store: …법 제21조 제3항",
    ),
    "a law published as a consent": (
        "retention", ("categories", "R-09b", "clause"), "제7조",
        "chapters/4-retention.toml: categories.R-09b.clause: …stands on LAW_MIN",
    ),
    "a consent published as a law": (
        "retention", ("categories", "R-05", "clause"), "제8조",
        "chapters/4-retention.toml: categories.R-05.clause: …stands on CONSENT",
    ),
    "holds without a purpose of the law": (
        "retention", ("holds", "purpose"), "destruction",
        "chapters/4-retention.toml: holds.purpose: …is of the kind 'duty'",
    ),
    "holds under no purpose": (
        "retention", ("holds", "purpose"), "custody",
        "chapters/4-retention.toml: holds.purpose: …names 'custody', which",
    ),
    "a review later than six months": (
        "retention", ("holds", "longest_review_months"), 7,
        "chapters/4-retention.toml: holds.longest_review_months: …less than or equal to 6",
    ),
    "no article that grounds a hold": (
        "retention", ("holds", "articles"), {},
        "chapters/4-retention.toml: holds.articles: …at least 1",
    ),
    "a purpose that opens no archive": (
        "retention", ("categories", "R-12", "purpose"), "tax",
        "chapters/4-retention.toml: categories.R-12.purpose: …in the archive alone",
    ),
    "a holder that does not hold the store": (
        "retention", ("categories", "R-03", "holders"), ["identity"],
        "chapters/4-retention.toml: categories.R-03.holders: …does not hold",
    ),
    "a holder that there is not": (
        "retention", ("categories", "R-01", "holders"), ["billing"],
        "chapters/4-retention.toml: categories.R-01.holders: …does not hold",
    ),
    "an archive that does not hold": (
        "retention", ("categories", "R-10", "holders"), ["identity"],
        "chapters/4-retention.toml: categories.R-10.holders: …has no archive",
    ),
    "destroyed where it is not": (
        "retention", ("categories", "R-15", "method"), "M2",
        "chapters/4-retention.toml: categories.R-15.method: …not how the store 'live' is emptied",
    ),
    "held, and a gap": (
        "retention", ("categories", "R-01", "gap"), "processor",
        "chapters/4-retention.toml: categories.R-01.gap: …so is the other",
    ),
    "open, but counted from a date": (
        "retention", ("categories", "R-27", "start", "dated"), True,
        "chapters/4-retention.toml: categories.R-27.start.dated: …where the period is open",
    ),
    "a period, but no date": (
        "retention", ("categories", "R-05", "start", "dated"), False,
        "chapters/4-retention.toml: categories.R-05.start.dated: …and nowhere else",
    ),
    "until noted, what is the event anyway": (
        "retention", ("categories", "R-07", "start", "else_occurred"), True,
        "chapters/4-retention.toml: categories.R-07.start.else_occurred: …already",
    ),
    "members that do not end with their membership": (
        "retention", ("categories", "R-01", "start", "event"), "occurred",
        "chapters/4-retention.toml: categories.R-01.start.event: …destroyed by 'membership_ended'",
    ),
    "a log that waits for an event": (
        "retention", ("categories", "R-12", "start", "event"), "session_closed",
        "chapters/4-retention.toml: categories.R-12.start.event: …destroyed by 'occurred'",
    ),
    "an id that the contract does not take": (
        "retention", ("categories", "R-9"), DOCUMENTS["retention"]["categories"]["R-24"],
        "chapters/4-retention.toml: categories.R-9: …is no name",
    ),
    # --- what a consent covers ---
    "kept beyond its consent": (
        "purposes", ("consents", "inquiry_retention", "items"), ["inquiry_email", "inquiry_mobile_phone"],
        "chapters/4-retention.toml: categories.R-05.keeps: …'inquiry_retention' does not cover 'inquiry_content'",
    ),
    "shown beyond its consent": (
        "purposes", ("purposes", "marketing", "full_view"), ["email", "address"],
        "chapters/2-purposes.toml: purposes.marketing.full_view: …'address', which the consent 'marketing'",
    ),
    # --- records and their fields ---
    "a kind under a category that it may not stand under": (
        "retention", ("records", "payment", "stands_under"), ["R-12"],
        "chapters/4-retention.toml: records.payment.stands_under: …may not stand under",
    ),
    "a field that no basis of its kind keeps": (
        "retention", ("categories", "R-09b", "keeps"), ["PaymentRecord.amount"],
        "chapters/4-retention.toml: records.payment.may_stand_under: …no category that keeps PaymentRecord.",
    ),
    "a field kept by a basis that the kind cannot stand under": (
        "retention", ("categories", "R-12", "keeps"), ["PaymentRecord.amount"],
        "chapters/4-retention.toml: categories.R-12.keeps: …no PaymentRecord may stand under R-12",
    ),
    "a field that is no item": (
        "retention", ("categories", "R-15", "keeps"), ["Consent.channel"],
        "chapters/4-retention.toml: categories.R-15.keeps: …no item of chapter 1",
    ),
    "a member's field that nothing keeps": (
        "retention", ("categories", "R-01", "keeps"), ["MemberProfile.email", "PaymentRecord.payer_phone"],
        "chapters/1-collection.toml: items.address.fields: …no category keeps",
    ),
    "an item that nothing keeps": (
        "retention", ("categories", "R-01", "keeps"),
        [field for field in DOCUMENTS["retention"]["categories"]["R-01"]["keeps"] if "password" not in field],
        "chapters/1-collection.toml: items.password.fields: …none that a category keeps",
    ),
    "log-like, but kept by field": (
        "retention", ("records", "login", "kept"), "by field",
        "chapters/4-retention.toml: records.login.kept: …R-12 is kept in 'log'",
    ),
    "log-like under two periods": (
        "retention", ("records", "login", "may_stand_under"), ["R-12", "R-22"],
        "chapters/4-retention.toml: records.login.may_stand_under: …more than one",
    ),
    "two kinds with one message": (
        "retention", ("records", "usage", "message"), "LoginRecord",
        "chapters/4-retention.toml: records.usage.message: …is that of login too",
    ),
    # --- names that lead nowhere ---
    "an unknown consent": (
        "retention", ("categories", "R-05", "consent"), "inquiries",
        "chapters/4-retention.toml: categories.R-05.consent: …names 'inquiries'",
    ),
    "an unknown purpose": (
        "retention", ("categories", "R-10", "purpose"), "taxes",
        "chapters/4-retention.toml: categories.R-10.purpose: …names 'taxes'",
    ),
    "an unknown clause": (
        "retention", ("categories", "R-05", "clause"), "제70조",
        "chapters/4-retention.toml: categories.R-05.clause: …names '제70조'",
    ),
    "an unknown setting": (
        "retention", ("categories", "R-25", "requires"), "credit",
        "chapters/4-retention.toml: categories.R-25.requires: …is no setting",
    ),
    "a setting that is neither on nor off": (
        "retention", ("categories", "R-25", "requires"), "vat_period",
        "chapters/4-retention.toml: categories.R-25.requires: …neither on nor off",
    ),
    "a promise that a setting turns off": (
        "retention", ("categories", "R-09b", "requires"), "consumer_under_ecommerce_act",
        "chapters/4-retention.toml: categories.R-09b.requires: …제8조 promises",
    ),
    "an unknown category of a kind": (
        "retention", ("records", "payment", "may_stand_under"), ["R-99"],
        "chapters/4-retention.toml: records.payment.may_stand_under: …names 'R-99'",
    ),
    "an unknown purpose of a group": (
        "collection", ("groups", "card", "purposes"), ["shopping"],
        "chapters/1-collection.toml: groups.card.purposes: …names 'shopping'",
    ),
    "an unknown item of a group": (
        "collection", ("groups", "card", "items"), ["card"],
        "chapters/1-collection.toml: groups.card.items: …names 'card'",
    ),
    "an unknown item of a consent": (
        "purposes", ("consents", "marketing", "items"), ["telephone"],
        "chapters/2-purposes.toml: consents.marketing.items: …names 'telephone'",
    ),
    "a consent that nothing stands on": (
        "purposes", ("consents", "idle"), DOCUMENTS["purposes"]["consents"]["marketing"],
        "chapters/2-purposes.toml: consents.idle: …stands on",
    ),
    "a category of a processor": (
        "processors", ("processors", "naver_cloud", "category"), "R-99",
        "chapters/3-processors.toml: processors.naver_cloud.category: …names 'R-99'",
    ),
    "a category twice": (
        "retention", ("records", "dispute", "stands_under"), ["R-09c", "R-09c"],
        "chapters/4-retention.toml: records.dispute.stands_under: …twice",
    ),
    "an item twice": (
        "collection", ("groups", "cash_receipt", "items"), ["cash_receipt_mobile_phone"] * 2,
        "chapters/1-collection.toml: groups.cash_receipt.items: …twice",
    ),
    "a field twice": (
        "retention", ("categories", "R-12", "keeps"), ["LoginRecord.ip_address", "LoginRecord.user_agent"] * 2,
        "chapters/4-retention.toml: categories.R-12.keeps: …twice",
    ),
    "a holder twice": (
        "retention", ("categories", "R-01", "holders"), ["identity", "identity"],
        "chapters/4-retention.toml: categories.R-01.holders: …twice",
    ),
    # --- clocks of the law ---
    "an answer later than the law allows": (
        "rights", ("rights", "access", "days"), 11,
        "chapters/6-rights.toml: rights.access.days: …less than or equal to 10",
    ),
    "destruction later than without delay": (
        "destruction", ("within_days",), 6,
        "chapters/5-destruction.toml: within_days: …less than or equal to 5",
    ),
    # --- settings ---
    "a setting with a value that is no option": (
        "settings", ("electronic_finance_role", "value"), "bank",
        "settings.toml: electronic_finance_role.value: …input should be",
    ),
    "a number that is no option": (
        "settings", ("processing_log_years", "value"), 5,
        "settings.toml: processing_log_years: …none of its options",
    ),
    "a business year that ends in no month": (
        "settings", ("fiscal_year_end_month",),
        {**DOCUMENTS["settings"]["fiscal_year_end_month"], "value": 13, "options": [12, 13]},
        "settings.toml: fiscal_year_end_month.value: …less than or equal to 12",
    ),
    "a log of no year": (
        "settings", ("processing_log_years",),
        {**DOCUMENTS["settings"]["processing_log_years"], "value": 0, "options": [0, 2]},
        "settings.toml: processing_log_years.value: …greater than or equal to 1",
    ),
    "a setting that forgets what it decides": (
        "settings", ("processing_log_years", "categories"), [],
        "settings.toml: processing_log_years.categories: …lacks R-13",
    ),
    "a tax row that forgets the filing deadline": (
        "retention", ("categories", "R-10", "start", "counted_from"), "event",
        "chapters/4-retention.toml: categories.R-10.start.counted_from: …is missing: ",
    ),
    "a period for what is no option": (
        "retention", ("categories", "R-13", "when", "processing_log_years", "5"), "5 years",
        "chapters/4-retention.toml: categories.R-13.when.processing_log_years.5: …is no option",
    ),
    "an option's period that is none": (
        "retention", ("categories", "R-13", "when", "processing_log_years", "1"), "a year",
        "chapters/4-retention.toml: categories.R-13.when.processing_log_years.1: …is not a period",
    ),
    # --- access ---
    "an unknown purpose of a rule": (
        "access", (GET_MEMBER, "apps/portal"), ["mailing"],
        "access.toml: onggi.identity.v1.MemberService/GetMember.apps/portal: …names 'mailing'",
    ),
    "a rule that lets nobody in": (
        "access", (GET_MEMBER,), {},
        "access.toml: onggi.identity.v1.MemberService/GetMember: …lets nobody in",
    ),
    "a caller without a purpose": (
        "access", (GET_MEMBER, "apps/portal"), [],
        "access.toml: onggi.identity.v1.MemberService/GetMember.apps/portal: …has no purpose",
    ),
    "a purpose twice": (
        "access", (GET_MEMBER, "staff/support"), ["support", "support"],
        "access.toml: onggi.identity.v1.MemberService/GetMember.staff/support: …twice",
    ),
    "more in full than the purpose shows": (
        "access", ("full_view", "staff/support", "support"), ["email"],
        "access.toml: full_view.staff/support.support: …'email'",
    ),
    "in full under a purpose that the caller has not": (
        "access", ("full_view", "staff/support", "billing"), [],
        "access.toml: full_view.staff/support.billing: …no rule gives",
    ),
    "in full for a caller whom nothing lets in": (
        "access", ("full_view", "apps/stranger"), {},
        "access.toml: full_view.apps/stranger: …no rule lets in",
    ),
    "a caller that reveals without a budget": (
        "access", ("onggi.payment_vault.v1.DetokenizationService/Detokenize", "apps/portal"), ["billing"],
        "access.toml: reveal_budgets.apps/portal: …is missing",
    ),
    "a budget of a caller that reveals nothing": (
        "access", ("reveal_budgets", "apps/portal"), {"hour": 10, "day": 10, "alone": 1},
        "access.toml: reveal_budgets.apps/portal: …no rule lets reveal",
    ),
    "an hour of more than a day": (
        "access", ("reveal_budgets", "apps/billing", "hour"), 100_001,
        "access.toml: reveal_budgets.apps/billing.hour: …more than the day",
    ),
    "more alone than in an hour": (
        "access", ("reveal_budgets", "apps/billing", "alone"), 20_001,
        "access.toml: reveal_budgets.apps/billing.alone: …more than the hour",
    ),
    "an approval by a service": (
        "access", ("onggi.payment_vault.v1.RevealApprovalService/ApproveReveal", "apps/portal"), ["security_review"],
        "access.toml: onggi.payment_vault.v1.RevealApprovalService/ApproveReveal.apps/portal: …no person's account",
    ),
    "a purpose that no rule uses": (
        "purposes", ("purposes", "research"), DOCUMENTS["purposes"]["purposes"]["destruction"],
        "chapters/2-purposes.toml: purposes.research: …no rule of access.toml uses",
    ),
}  # fmt: skip
"""Case -> part, path and value that make it; the fault: file, key, and a piece of the reason after the dots."""
