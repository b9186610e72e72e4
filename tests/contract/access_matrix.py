"""Who may call what for which purpose, written by hand a second time (AC-01).

The policy says it too; that both say the same is what makes a slip in either visible. Whoever changes the policy on
purpose changes it here as well.
"""

from collections.abc import Mapping

_IDENTITY = {
    "MemberService/RegisterMember": "portal:membership",
    "MemberService/GetMember": "portal:membership billing:billing support:support",
    "MemberService/FindMember": "portal:membership billing:billing support:support",
    "MemberService/UpdateMember": "portal:membership support:support",
    "MemberService/WithdrawMember": "portal:membership support:support",
    "ContactService/AddContact": "portal:membership",
    "ContactService/GetContact": "portal:membership billing:billing support:support",
    "ContactService/ListContacts": "portal:membership billing:billing support:support",
    "ContactService/UpdateContact": "portal:membership support:support",
    "ContactService/RemoveContact": "portal:membership support:support",
    "RecordService/AppendRecords": "portal:membership",
    "RecordService/ListRecords": "portal:membership support:support",
}
_PAYMENT_VAULT = {
    "TokenizationService/Tokenize": "portal:billing billing:billing",
    "TokenizationService/BatchTokenize": "portal:billing billing:billing",
    "TokenizationService/GetToken": "portal:billing billing:billing support:support",
    "TokenizationService/ListTokens": "portal:billing billing:billing support:support",
    "TokenizationService/DeleteToken": "portal:billing billing:billing",
    "DetokenizationService/Detokenize": "billing:billing",
    "DetokenizationService/BatchDetokenize": "billing:billing",
}
_PURGE = {
    "PurgeService/PreparePurge": "retention:destruction",
    "PurgeService/ExecutePurge": "retention:destruction",
    "PurgeService/VerifyPurge": "retention:destruction",
}
_RETENTION = {
    "RetentionService/PlanPurge": "retention-operator:destruction",
    "RetentionService/GetPlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ListPlans": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ApprovePlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/ExecutePlan": "retention-operator:destruction",
    "RetentionService/WatchPlan": "retention-operator:destruction privacy-officer:destruction",
    "RetentionService/GetCertificate": "retention-operator:destruction privacy-officer:destruction",
}
_LOG = {
    "ProcessingLogService/SearchEntries": "security-reviewer:security_review privacy-officer:security_review",
    "ProcessingLogService/GetEntry": "security-reviewer:security_review privacy-officer:security_review",
}

NAMESPACES = {
    "portal": "apps", "billing": "apps", "marketing": "apps", "stranger": "apps",
    "support": "staff", "retention-operator": "staff", "privacy-officer": "staff", "security-reviewer": "staff",
    "identity": "onggi", "payment-vault": "onggi", "retention": "onggi",
}  # fmt: skip
"""Every caller that there is, the services too, and the namespace of each."""

PURPOSES = ("membership", "billing", "support", "marketing", "security_review", "destruction")


def _rules() -> dict[str, dict[str, str]]:
    packages = {
        "onggi.identity.v1": _IDENTITY, "onggi.payment_vault.v1": _PAYMENT_VAULT, "onggi.purge.v1": _PURGE,
        "onggi.retention.v1": _RETENTION, "onggi.processing_log.v1": _LOG,
    }  # fmt: skip
    return {
        f"{package}.{rpc}": dict(pair.split(":") for pair in callers.split())
        for package, rules in packages.items()
        for rpc, callers in rules.items()
    }


MATRIX: Mapping[str, Mapping[str, str]] = _rules()
"""RPC -> caller -> the one purpose that it may state."""


def allowed_caller(rpc: str) -> str:
    """A caller that may use the RPC."""
    return next(iter(MATRIX[rpc]))
