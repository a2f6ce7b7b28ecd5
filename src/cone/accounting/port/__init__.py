"""What an accounting provider must do, in values. Pure: no database, no network, no provider's vocabulary."""
