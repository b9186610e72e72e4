"""The laptop stack: real PostgreSQL, real OpenBao, real mTLS and the three services, started by one command.

Nothing here runs in production; `deploy/` does. Nothing here is a fake either: it shows what the parts do.
"""

import os

# This process talks gRPC and starts processes; gRPC's fork handlers sometimes crash a child before it has begun. They
# serve children that go on to use gRPC without an exec, and there are none.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
