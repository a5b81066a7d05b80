"""`python -m runtime`: the `toritsugi` command inside its own environment."""

from runtime.cli import main

if __name__ == "__main__":
    main()
