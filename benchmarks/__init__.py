"""What is measured, and how. Nothing here runs in the tests; `make bench` runs it all."""
