"""What Prodwise costs and achieves, measured side by side. `make bench`; docs/bench.md."""
