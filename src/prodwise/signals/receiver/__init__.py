"""Takes what programs report over HTTP: admits, digests, and answers once it is stored. A process of its own."""
