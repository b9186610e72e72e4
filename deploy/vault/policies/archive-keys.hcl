# The life of the archive's keys: rotate, rewrap, raise the floors, trim. Nothing is sealed or opened with this login; of a key's
# settings it may change the two floors and no other. HMAC keys are not here: to rotate one would lose its indexes.

# Archived fields.
path "transit/keys/archive" {
  capabilities = ["read"]
}
path "transit/keys/archive/rotate" {
  capabilities = ["update"]
}
path "transit/keys/archive/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/archive/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/archive" {
  capabilities = ["update"]
}

# The salts of the archive's erasure units.
path "transit/keys/epoch-archive" {
  capabilities = ["read"]
}
path "transit/keys/epoch-archive/rotate" {
  capabilities = ["update"]
}
path "transit/keys/epoch-archive/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/epoch-archive/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/epoch-archive" {
  capabilities = ["update"]
}

# Its own token: tell an expired token (log in again) from a refused path (a policy fault), renew, give back.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
