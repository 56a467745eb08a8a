"""Code hosts, one file each."""
