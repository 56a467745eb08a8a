"""Settings of a repository's files, put back to what they were."""
