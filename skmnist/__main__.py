"""``python -m skmnist`` is the command line."""

from skmnist.cli import main

main()
