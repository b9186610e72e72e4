# The life of identity's keys: rotate, rewrap, raise the floors, trim. Nothing is sealed or opened with this login; of a key's
# settings it may change the two floors and no other. HMAC keys are not here: to rotate one would lose its indexes.

# Personal fields.
path "transit/keys/pii" {
  capabilities = ["read"]
}
path "transit/keys/pii/rotate" {
  capabilities = ["update"]
}
path "transit/keys/pii/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/pii/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/pii" {
  capabilities = ["update"]
}

# The salts of identity's erasure units.
path "transit/keys/epoch-identity" {
  capabilities = ["read"]
}
path "transit/keys/epoch-identity/rotate" {
  capabilities = ["update"]
}
path "transit/keys/epoch-identity/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/epoch-identity/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/epoch-identity" {
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
