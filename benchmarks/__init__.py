"""Times, accuracy and memory of skmnist beside its peers: ``python -m benchmarks``."""
