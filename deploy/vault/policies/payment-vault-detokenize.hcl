# Detokenisation reveals numbers and can make none: no encrypt, no HMAC.

# Open numbers.
path "transit/decrypt/card" {
  capabilities = ["update"]
}
path "transit/decrypt/account" {
  capabilities = ["update"]
}
path "transit/decrypt/receipt" {
  capabilities = ["update"]
}

# Unwrap the salts that the numbers are sealed under.
path "transit/decrypt/epoch-payment-vault" {
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
