"""What customers, services, tax rates, invoices and payments mean: pure rules, no framework, no database."""
