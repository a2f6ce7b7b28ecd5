"""Pages on which a person looks at the books; they share nothing with the API but the books themselves."""
