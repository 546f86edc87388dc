"""What the sandbox serves: `catalogue` lists it, a module for each domain makes it, the others are what they share."""
