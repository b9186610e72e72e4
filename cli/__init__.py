"""The operator's command: a gRPC client of the services that can also read the policy, and nothing more.

It imports the generated stubs and no code of the services, so it can do exactly what its certificate may do.
"""

import os

# The C core writes its own account of failed connections to the terminal; errors are ours to word.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
