"""The command `edgedigits`, also as `python -m edgedigits`."""

import signal


def main() -> None:
    """Run the command line. Ctrl-C ends the process silently until a command runs, which then answers it."""
    # An import that is interrupted would print a traceback. Where the caller ignores SIGINT, it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from edgedigits.cli import main as run

    run()


if __name__ == "__main__":
    main()
