"""The subcommands of `estat`, one module each: read the arguments, call the project, print. No other logic."""
