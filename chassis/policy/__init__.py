"""The published privacy policy (개인정보처리방침) as data that runs: models, loader, calendar. No I/O but `load`."""
