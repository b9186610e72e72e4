# The archive opens what a law alone still keeps, and seals what it puts in order. Nothing of identity's own keys.

# Seal and open archived fields.
path "transit/encrypt/archive" {
  capabilities = ["update"]
}
path "transit/decrypt/archive" {
  capabilities = ["update"]
}

# Wrap and unwrap the salts of its erasure units.
path "transit/encrypt/epoch-archive" {
  capabilities = ["update"]
}
path "transit/decrypt/epoch-archive" {
  capabilities = ["update"]
}

# Request digests.
path "transit/hmac/index-archive" {
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
