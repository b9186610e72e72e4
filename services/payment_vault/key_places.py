"""Where the ciphertexts of the vault's keys stand. The same places are written in key_place, for the fence in the tables."""

from chassis.key_rows import SealedColumn, salts_under
from services.payment_vault import keys

KEYS_ROLE = "payment-vault-keys"
# In the order of the index by which a member's tokens are listed: tokens of one member share a salt.
_ROW = (("member_id", "uuid"), ("created_at", "timestamptz"), ("token", "text"))
_UNIT = "'member:' || t.member_id"

COLUMNS = (
    *(
        SealedColumn(
            key, "token", "sealed", _ROW, applies=f"kind = '{kind}'", needs=("kind",), unit=_UNIT,
            place=lambda row: keys.number_place(row["token"]),
        )
        for kind, key in keys.NUMBER_KEYS.items()
    ),
    SealedColumn(
        keys.MASKED_KEY, "token", "sealed_masked", _ROW, unit=_UNIT, place=lambda row: keys.masked_place(row["token"])
    ),
    salts_under(keys.EPOCH_KEY),
)  # fmt: skip
