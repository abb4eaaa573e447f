"""Training: a network specification and data in, weights out."""
