# identity seals and opens what it holds of a person. "update" alone: without "create" an unknown key name
# is refused instead of made.

# Seal and open personal fields.
path "transit/encrypt/pii" {
  capabilities = ["update"]
}
path "transit/decrypt/pii" {
  capabilities = ["update"]
}

# Wrap and unwrap the salts of its erasure units.
path "transit/encrypt/epoch-identity" {
  capabilities = ["update"]
}
path "transit/decrypt/epoch-identity" {
  capabilities = ["update"]
}

# Put into the archive what a law alone still keeps, and never read it back: no decrypt.
path "transit/encrypt/archive" {
  capabilities = ["update"]
}
path "transit/encrypt/epoch-archive" {
  capabilities = ["update"]
}

# Blind indexes and request digests.
path "transit/hmac/index-identity" {
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
