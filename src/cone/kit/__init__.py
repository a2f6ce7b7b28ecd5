"""Values that everything else is made of: money, percentages, clock. Standard library only."""
