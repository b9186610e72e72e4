# retention orders destruction and certifies it. It may read nobody: no encrypt or decrypt anywhere, no HMAC of a holder's.

# Sign destruction certificates.
path "transit/sign/certificate-sign" {
  capabilities = ["update"]
}

# The public half, which verifies a certificate offline.
path "transit/keys/certificate-sign" {
  capabilities = ["read"]
}

# Page tokens of explanations.
path "transit/hmac/index-retention" {
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
