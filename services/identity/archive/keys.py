"""Names of the archive's keys; its units and places are those of identity's records, under the archive's own name."""

SERVICE = "archive"
VAULT_ROLE = "archive"
RECORD_KEY = "archive"
EPOCH_KEY = "epoch-archive"
INDEX_KEY = "index-archive"
