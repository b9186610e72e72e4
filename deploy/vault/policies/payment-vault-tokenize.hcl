# Tokenisation turns numbers into tokens and can never turn one back: no decrypt on card, account or receipt.

# Seal numbers.
path "transit/encrypt/card" {
  capabilities = ["update"]
}
path "transit/encrypt/account" {
  capabilities = ["update"]
}
path "transit/encrypt/receipt" {
  capabilities = ["update"]
}

# Seal and open what a masked answer shows.
path "transit/encrypt/masked" {
  capabilities = ["update"]
}
path "transit/decrypt/masked" {
  capabilities = ["update"]
}

# Wrap and unwrap the salts of its erasure units.
path "transit/encrypt/epoch-payment-vault" {
  capabilities = ["update"]
}
path "transit/decrypt/epoch-payment-vault" {
  capabilities = ["update"]
}

# Fingerprints and request digests.
path "transit/hmac/index-payment-vault" {
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
