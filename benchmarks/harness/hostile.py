"""Strings that make a careless detector slow: beginnings without an end, by the thousand. One list for each form."""

from __future__ import annotations

HOSTILE: dict[str, tuple[str, ...]] = {
    "payment card": ("4", "4111 1111 1111 111 ", "4-", "1 ", "41111111111111112,", "4111-1111-1111-1111-"),
    "US SSN": ("123-45-678-", "1-", "123-45-", "000-00-0000 "),
    "IBAN": ("DE", "GB82 WEST ", "DE00 0000 0000 ", "GB82WEST1234569876543", "A1"),
    "e-mail": ("a@", "a.", "@", "a@b.", "a.b-c_d%e+", "a@b.c-", "@a.b"),
    "phone": ("+1 ", "+", "(030) ", "555-", "+49-30-", "1.2."),
    "JWT": ("eyJ", "eyJhbGciOi.", "eyJhbGciOiJIUzI1NiJ9.eyJ", "eyJhbGciOiJIUzI1NiJ9aaaaaaaaaaaa", ".eyJ."),
    "bearer and basic": (
        "Bearer ", "bearer", "Bearer a", "Basic ", "Basic YTpi", "authorization: ", "bearer:=", "Bearer\t\n",
    ),
    "assignment": (
        "password=", "password:", "password", "password=\"", "password='\\", "--password ", "--", "=", ":",
        "token = ", "\"password\":\"", "\\\"password\\\":\\\"", "api_key: [", "secret={", "a_b-c.", "pwd=[{",
        "passwordpassword", "_=", "password=\\\\\\", "password \\\\\"", "key\":", "password=Bearer ",
    ),
    "URL": ("://", "http://a:", "https://a:b", "x://u:p@", "http://" + "a" * 50 + ":", "://@", "?sig=", "&sig=%"),
    "PEM": (
        "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----", "-----BEGIN RSA PRIVATE KEY-----\n-----END ",
        "-----END ",
    ),
    "vendor token": (
        "ghp_", "AKIA", "xoxb-", "xoxb-1", "sk_live_", "glpat-", "AIza", "SG.", "github_pat_", "ya29.", "sk-", "hf_",
        "sk-ant-", "AKIAAKIA ", "ghp_ghp_", "whsec_", "Q~", "T3BlbkFJ",
    ),
    "structure": (
        "[", "{", "{\"a\":", "[[\"", "[credit_card_REDACTED]", "[_REDACTED]", "[x", "\\", "\\\"", "\u00e9",
        "\U0001f511",
    ),
}  # fmt: skip


def string(unit: str, size: int) -> str:
    """The unit again and again, up to so many characters."""
    return (unit * (size // len(unit) + 1))[:size]
