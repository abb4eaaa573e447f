"""Prediction: weights in, probabilities out."""
