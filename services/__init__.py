"""The services; they never import one another and meet over gRPC."""
