"""`python -m prodwise`: the same as the `prodwise` command."""

from prodwise.cli.main import main

if __name__ == "__main__":
    main()
