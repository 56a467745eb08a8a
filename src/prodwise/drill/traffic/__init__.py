"""Live traffic for a drill: an open-loop client in a process of its own, and the records that it writes."""
