"""Forms check shape: is it a number, a date, one of the choices. Operations check truth."""
