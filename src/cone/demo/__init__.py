"""A made-up firm with a year of books, to try Cone on and to judge its pages by."""
