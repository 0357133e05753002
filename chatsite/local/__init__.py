"""Everything on one machine: what `make run` adds to the product so that nothing need be set."""
