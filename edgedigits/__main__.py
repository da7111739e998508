"""`python -m edgedigits` is the command."""

from edgedigits.cli import main

if __name__ == "__main__":
    main()
