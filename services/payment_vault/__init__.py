"""What the person pays with: tokens for cards, bank accounts and cash-receipt numbers."""
