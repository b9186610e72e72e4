"""Who the person is: members, contacts, consents and records."""
