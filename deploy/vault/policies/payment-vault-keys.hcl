# The life of the vault's keys: rotate, rewrap, raise the floors, trim. Nothing is sealed or opened with this login; of a key's
# settings it may change the two floors and no other. HMAC keys are not here: to rotate one would lose its indexes.

# Card numbers.
path "transit/keys/card" {
  capabilities = ["read"]
}
path "transit/keys/card/rotate" {
  capabilities = ["update"]
}
path "transit/keys/card/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/card/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/card" {
  capabilities = ["update"]
}

# Bank account numbers.
path "transit/keys/account" {
  capabilities = ["read"]
}
path "transit/keys/account/rotate" {
  capabilities = ["update"]
}
path "transit/keys/account/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/account/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/account" {
  capabilities = ["update"]
}

# Cash-receipt numbers.
path "transit/keys/receipt" {
  capabilities = ["read"]
}
path "transit/keys/receipt/rotate" {
  capabilities = ["update"]
}
path "transit/keys/receipt/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/receipt/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/receipt" {
  capabilities = ["update"]
}

# What masked answers show.
path "transit/keys/masked" {
  capabilities = ["read"]
}
path "transit/keys/masked/rotate" {
  capabilities = ["update"]
}
path "transit/keys/masked/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/masked/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/masked" {
  capabilities = ["update"]
}

# The salts of the vault's erasure units.
path "transit/keys/epoch-payment-vault" {
  capabilities = ["read"]
}
path "transit/keys/epoch-payment-vault/rotate" {
  capabilities = ["update"]
}
path "transit/keys/epoch-payment-vault/config" {
  capabilities       = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
  }
}
path "transit/keys/epoch-payment-vault/trim" {
  capabilities = ["update"]
}
path "transit/rewrap/epoch-payment-vault" {
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
