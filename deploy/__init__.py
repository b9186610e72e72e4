"""What brings Onggi to a cluster, and the checks that hold it right."""
