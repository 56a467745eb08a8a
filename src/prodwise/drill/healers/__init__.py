"""Who heals the app in a drill: one driver a file."""
