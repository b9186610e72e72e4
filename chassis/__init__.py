"""What every service stands on. It knows no member and no card; a fourth service would need it unchanged."""
