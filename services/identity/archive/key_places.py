"""Where the ciphertexts of the archive's keys stand. The same places are written in key_place, for the tables' fence."""

from chassis.key_rows import salts_under
from services.identity.archive import keys
from services.identity.key_places import record_fields

KEYS_ROLE = "archive-keys"

COLUMNS = (record_fields(keys.RECORD_KEY, keys.SERVICE), salts_under(keys.EPOCH_KEY))
