"""Where the house is put together: settings, addresses, and the only place that names providers."""
