"""What may stand in a text."""

import pytest

from cone.domain.errors import InvalidFieldError
from cone.domain.text import TextRule, check_email

NAME = TextRule("the name", 10, is_required=True)
NOTES = TextRule("the notes", 20, is_multiline=True)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Anna  ", "Anna"),
        ("Zoe\u0308", "Zoë"),
        ("a\tb", "a b"),
        ("a\r\nb", "a b"),
        ("<b>&amp;", "<b>&amp;"),
        ("😀 ok", "😀 ok"),
        ("x" * 10, "x" * 10),
    ],
)
def test_text_is_trimmed_and_composed(typed: str, kept: str) -> None:
    assert NAME.check("name", typed) == kept


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Enter the name."),
        ("   ", "Enter the name."),
        ("\u200b\u200d", "Enter the name."),
        ("x" * 11, "Shorten the name to 10 characters; it has 11."),
        ("x" * 10_000_000, "Shorten the name to 10 characters; it has 10,000,000."),
        ("a\x00b", "Type the name again: it contains an invisible control character that can't be kept."),
        ("a\x1bb", "Type the name again: it contains an invisible control character that can't be kept."),
        ("a\ud800b", "Type the name again: it contains an invisible control character that can't be kept."),
    ],
)
def test_text_refused_names_the_field_and_what_to_do(typed: str, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        NAME.check("name", typed)
    assert (refusal.value.field, str(refusal.value)) == ("name", message)


def test_text_multiline_keeps_line_ends_as_newlines() -> None:
    assert NOTES.check("notes", " one\r\ntwo\rthree\n") == "one\ntwo\nthree"
    assert NOTES.check("notes", "") == ""


@pytest.mark.parametrize("typed", ["anna@example.com", "o'brien+x@a-b.co.uk", "müller@bücher.example", ""])
def test_email_of_a_usable_shape_is_kept(typed: str) -> None:
    assert check_email("email", f" {typed} ") == typed


@pytest.mark.parametrize(
    "typed",
    [
        "anna",
        "anna@",
        "@example.com",
        "a b@example.com",
        "anna@example",
        "a@b@c.de",
        "a@x.de,b@x.de",
        "<a@x.de>",
        "a@x.",
    ],
)
def test_email_of_another_shape_is_refused(typed: str) -> None:
    with pytest.raises(InvalidFieldError, match="Enter an e-mail address such as") as refusal:
        check_email("email", typed)
    assert refusal.value.field == "email"


def test_email_required_or_too_long_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="Enter the e-mail address"):
        check_email("email", "", is_required=True)
    with pytest.raises(InvalidFieldError, match="Shorten the e-mail address to 100 characters"):
        check_email("email", "a" * 95 + "@example.com")
