"""The benchmarks: each starts what it needs on free ports, measures, stops it, and prints what it ran on."""
