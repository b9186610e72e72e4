"""Who may call what for which purpose, written by hand a second time (AC-01).

The policy says it too; that both say the same is what makes a slip in either visible. Whoever changes the policy on
purpose changes it here as well.
"""

from collections.abc import Mapping

_LAW = (
    "consumer_protection,tax,electronic_finance,misuse_prevention,inquiry_handling,abuse_prevention,credit_information,"
    "legal_hold"
)
_IDENTITY = {
    "MemberService/RegisterMember": "portal:membership",
    "MemberService/GetMember": "portal:membership billing:billing marketing:marketing,statistics support:support",
    "MemberService/FindMember": "portal:membership billing:billing marketing:marketing,statistics support:support",
    "MemberService/UpdateMember": "portal:membership support:support",
    "MemberService/WithdrawMember": "portal:membership support:support",
    "ContactService/AddContact": "portal:membership",
    "ContactService/GetContact": "portal:membership billing:billing support:support",
    "ContactService/ListContacts": "portal:membership billing:billing support:support",
    "ContactService/UpdateContact": "portal:membership support:support",
    "ContactService/RemoveContact": "portal:membership support:support",
    "RecordService/AppendRecords": "portal:membership billing:billing support:support",
    "RecordService/ListRecords": "portal:membership support:support",
    "RecordService/NoteEvent": "portal:membership billing:billing support:support",
    "ConsentService/GiveConsent": "portal:membership",
    "ConsentService/WithdrawConsent": "portal:membership support:support",
    "ConsentService/ListConsents": "portal:membership support:support",
    "ConsentService/ListOutdatedConsents": "privacy-officer:membership",
    "ArchiveService/GetArchived": f"tax-officer:tax privacy-officer:{_LAW}",
    "ArchiveService/ListArchived": f"tax-officer:tax privacy-officer:{_LAW}",
}
_PAYMENT_VAULT = {
    "TokenizationService/Tokenize": "portal:billing billing:billing",
    "TokenizationService/BatchTokenize": "portal:billing billing:billing",
    "TokenizationService/StreamTokenize": "portal:billing billing:billing",
    "TokenizationService/GetToken": "portal:billing billing:billing support:support",
    "TokenizationService/ListTokens": "portal:billing billing:billing support:support",
    "TokenizationService/DeleteToken": "portal:billing billing:billing",
    "DetokenizationService/Detokenize": "billing:billing",
    "DetokenizationService/BatchDetokenize": "billing:billing",
    "DetokenizationService/ReissueToken": "billing:billing",
    "RevealApprovalService/RequestReveal": "billing:billing",
    "RevealApprovalService/ApproveReveal": "privacy-officer:security_review security-reviewer:security_review",
    "RevealApprovalService/ListRevealRequests": "privacy-officer:security_review security-reviewer:security_review",
    "RevealApprovalService/MarkHoneyToken": "security-reviewer:security_review",
    "RevealApprovalService/LiftSuspension": "privacy-officer:security_review security-reviewer:security_review",
}
_KEYS = {
    "KeyService/ListKeys": "key-custodian:key_custody",
    "KeyService/RotateKey": "key-custodian:key_custody",
    "KeyService/RewrapKey": "key-custodian:key_custody",
    "KeyService/RetireKey": "key-custodian:key_custody",
}
_PURGE = {
    "PurgeService/PreparePurge": "retention:destruction",
    "PurgeService/ExecutePurge": "retention:destruction",
    "PurgeService/VerifyPurge": "retention:destruction",
    "PurgeService/ListKept": "retention:destruction",
    "PurgeService/SetHold": "retention:legal_hold",
    "PurgeService/ConfirmHolds": "retention:legal_hold",
}
_RETENTION = {
    "RetentionService/PlanPurge": "retention-operator:destruction",
    "RetentionService/GetPlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ListPlans": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ApprovePlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ExecutePlan": "retention-operator:destruction",
    "RetentionService/WatchPlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/GetCertificate": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ExplainRetention": "retention-operator:destruction privacy-officer:destruction support:support",
    **dict.fromkeys(
        (
            f"HoldService/{rpc}"
            for rpc in ("PlaceHold", "ApproveHold", "ReviewHold", "ReleaseHold", "GetHold", "ListHolds")
        ),
        "retention-operator:legal_hold privacy-officer:legal_hold",
    ),
}
_LOG = {
    "ProcessingLogService/SearchEntries": "security-reviewer:security_review privacy-officer:security_review",
    "ProcessingLogService/GetEntry": "security-reviewer:security_review privacy-officer:security_review",
}

NAMESPACES = {
    "portal": "apps", "billing": "apps", "marketing": "apps", "stranger": "apps",
    "support": "staff", "retention-operator": "staff", "privacy-officer": "staff", "security-reviewer": "staff",
    "tax-officer": "staff", "key-custodian": "staff",
    "archive": "onggi", "identity": "onggi", "payment-vault": "onggi", "retention": "onggi",
}  # fmt: skip
"""Every caller that there is, the services too, and the namespace of each."""

PURPOSES = (
    "membership", "billing", "support", "marketing", "statistics", "security_review", "destruction", "key_custody",
    *_LAW.split(","),
)  # fmt: skip


def _rules() -> dict[str, dict[str, frozenset[str]]]:
    packages = {
        "onggi.identity.v1": _IDENTITY, "onggi.payment_vault.v1": _PAYMENT_VAULT, "onggi.keys.v1": _KEYS,
        "onggi.purge.v1": _PURGE, "onggi.retention.v1": _RETENTION, "onggi.processing_log.v1": _LOG,
    }  # fmt: skip
    return {
        f"{package}.{rpc}": {
            caller: frozenset(purposes.split(","))
            for caller, _, purposes in (pair.partition(":") for pair in callers.split())
        }
        for package, rules in packages.items()
        for rpc, callers in rules.items()
    }


MATRIX: Mapping[str, Mapping[str, frozenset[str]]] = _rules()
"""RPC -> caller -> the purposes that it may state."""


def allowed_caller(rpc: str) -> str:
    """A caller that may use the RPC."""
    return next(iter(MATRIX[rpc]))
