"""Speed and memory, measured side by side on this machine: `make bench`."""
