"""`python -m recoup` is the command line."""

from recoup.cli.main import main

if __name__ == "__main__":
    main()
