"""Where the books are kept: models, queries, counters, migrations, and the constraints that hold whoever writes."""
