"""What machines ask Cone: today the health check; the JSON API and the webhook inbox belong here."""
