"""`python -m workers`."""

from workers import main

if __name__ == "__main__":
    main.main()
