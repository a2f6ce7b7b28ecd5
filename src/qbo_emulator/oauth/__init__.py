"""OAuth 2.0 and OpenID Connect as Intuit's hosts offer them."""
