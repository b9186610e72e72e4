"""The laptop stack: real PostgreSQL, real OpenBao, real mTLS and the three services, started by one command.

Nothing here runs in production; `deploy/` does. Nothing here is a fake either: it shows what the parts do.
"""
