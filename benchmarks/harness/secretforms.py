"""Values that must never be stored, made up in the forms that their issuers document: each with its source.

Nothing here looks at the detectors or at the catalogue, so that both can be wrong and be caught. No value is anybody's:
all come from a seeded generator.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
ALNUM = UPPER + LOWER + DIGITS
HEX = DIGITS + "abcdef"
URL64 = ALNUM + "-_"

Make = Callable[[random.Random], str]


@dataclass(frozen=True)
class Form:
    """One form: what of the issue it belongs to, where it is documented, how one is made."""

    name: str
    group: str
    source: str
    make: Make


def some(rng: random.Random, count: int, chars: str = ALNUM) -> str:
    """Characters by chance, digits and letters among them wherever there is room for both."""
    return "".join(rng.choices(chars, k=count))


def _after(prefix: str, count: int, chars: str = ALNUM) -> Make:
    return lambda rng: prefix + some(rng, count, chars)


# Payment cards: ISO/IEC 7812-1 (Luhn), first digits and lengths as the networks publish them.
_CARDS: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "visa": (("4",), (13, 16, 16, 16, 19)),
    "mastercard": (("51", "52", "53", "54", "55", "2221", "2345", "2500", "2699", "2720"), (16,)),
    "american_express": (("34", "37"), (15,)),
    "discover": (("6011", "644", "648", "65"), (16, 16, 19)),
    "jcb": (("3528", "3540", "3589"), (16, 16, 19)),
    "diners_club": (("300", "305", "36", "38", "39"), (14,)),
    "unionpay": (("62",), (16, 17, 18, 19)),
    "maestro": (("5018", "5020", "5038", "6304", "6759", "6761", "6763"), (13, 15, 16, 18, 19)),
}


def luhn(digits: str) -> int:
    """The check digit that belongs behind these."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def _groups(number: str) -> list[int]:
    """How the digits are embossed: 4-6-5 and 4-6-4, else fours."""
    if len(number) in (14, 15):
        return [4, 6, len(number) - 10]
    return [4] * (len(number) // 4) + ([len(number) % 4] if len(number) % 4 else [])


def grouped(text: str, sizes: list[int], separator: str) -> str:
    """The text in groups of these sizes."""
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return separator.join(parts)


def _card(network: str) -> Make:
    def make(rng: random.Random) -> str:
        prefixes, lengths = _CARDS[network]
        prefix, length = rng.choice(prefixes), rng.choice(lengths)
        digits = prefix + some(rng, length - len(prefix) - 1, DIGITS)
        number = digits + str(luhn(digits))
        separator = rng.choice(("", "", " ", "-"))
        return grouped(number, _groups(number), separator) if separator else number

    return make


def ssn(rng: random.Random) -> str:
    """Social Security Administration: areas 001 to 899 without 666, groups from 01, serials from 0001."""
    area = rng.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


# IBAN: ISO 13616, the account's structure by country as in SWIFT's IBAN registry (n digits, a capitals, c both).
IBANS = {
    "AD": "8n12c", "AE": "19n", "AT": "16n", "BE": "12n", "BG": "4a6n8c", "CH": "5n12c", "CY": "8n16c", "CZ": "20n",
    "DE": "18n", "DK": "14n", "EE": "16n", "ES": "20n", "FI": "14n", "FR": "10n11c2n", "GB": "4a14n", "GI": "4a15c",
    "GR": "7n16c", "HR": "17n", "HU": "24n", "IE": "4a14n", "IL": "19n", "IS": "22n", "IT": "1a10n12c", "LI": "5n12c",
    "LT": "16n", "LU": "3n13c", "LV": "4a13c", "MC": "10n11c2n", "MT": "4a5n18c", "NL": "4a10n", "NO": "11n",
    "PL": "24n", "PT": "21n", "QA": "4a21c", "RO": "4a16c", "RS": "18n", "SA": "2n18c", "SE": "20n", "SI": "15n",
    "SK": "20n", "SM": "1a10n12c", "TR": "6n16c", "UA": "6n19c",
}  # fmt: skip


def account(rng: random.Random, structure: str) -> str:
    """An account number of this structure."""
    out, count = "", ""
    for char in structure:
        if char.isdigit():
            count += char
        else:
            out += some(rng, int(count), {"n": DIGITS, "a": UPPER, "c": UPPER + DIGITS}[char])
            count = ""
    return out


def check_digits(country: str, bban: str) -> str:
    """ISO 7064 mod 97-10."""
    number = "".join(str(int(c, 36)) for c in bban + country + "00")
    return f"{98 - int(number) % 97:02}"


def _iban(printed: bool) -> Make:
    def make(rng: random.Random) -> str:
        country = rng.choice(list(IBANS))
        bban = account(rng, IBANS[country])
        iban = country + check_digits(country, bban) + bban
        return grouped(iban, [4] * (len(iban) // 4 + 1), " ").strip() if printed else iban

    return make


_NAMES = ("anna", "j.doe", "john_smith", "li.wei", "o.brien", "maria-jose", "karl99", "billing+eu", "x.y.z", "noreply")
_HOSTS = (
    "example.org",
    "mail.example.com",
    "corp.example.co.uk",
    "a-b.example.museum",
    "example.io",
    "xn--bcher-kva.example",
)


def email(rng: random.Random) -> str:
    """RFC 5321 mailbox, dot-string; domains of RFC 2606."""
    return f"{rng.choice(_NAMES)}{rng.randint(1, 999) if rng.random() < 0.5 else ''}@{rng.choice(_HOSTS)}"


def _phone_e164(rng: random.Random) -> str:
    country = rng.choice(("1", "44", "49", "33", "81", "61", "351", "380"))
    return "+" + country + str(rng.randint(2, 9)) + some(rng, rng.randint(8, 13 - len(country)) - 1, DIGITS)


def _phone_e123(rng: random.Random) -> str:
    country = rng.choice(("1", "44", "49", "33", "81", "61"))
    return f"+{country} {rng.randint(20, 99)} {some(rng, 3, DIGITS)} {some(rng, 4, DIGITS)}"


def _phone_nanp(rng: random.Random) -> str:
    area, exchange, line = rng.randint(201, 989), rng.randint(200, 999), some(rng, 4, DIGITS)
    return rng.choice(("({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "+1 {}-{}-{}")).format(area, exchange, line)


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(rng: random.Random) -> str:
    """RFC 7519 in the compact form of RFC 7515, really signed."""
    header = (
        {"alg": "HS256", "typ": "JWT"} if rng.random() < 0.6 else {"typ": "JWT", "alg": "HS512", "kid": some(rng, 8)}
    )
    claims = {"sub": some(rng, 10), "iat": rng.randint(1_600_000_000, 1_800_000_000), "scope": "read write"}
    signed = ".".join(_b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return signed + "." + _b64url(hmac.digest(rng.randbytes(32), signed.encode(), hashlib.sha256))


def _jwe(rng: random.Random) -> str:
    header = _b64url(b'{"alg":"RSA-OAEP-256","enc":"A256GCM"}')
    return ".".join([header, *(_b64url(rng.randbytes(size)) for size in (256, 12, rng.randint(40, 200), 16))])


def _b64token(rng: random.Random) -> str:
    """RFC 6750, section 2.1."""
    return some(rng, rng.randint(20, 60), ALNUM + "-._~+/") + rng.choice(("", "", "=", "=="))


def _basic(rng: random.Random) -> str:
    """RFC 7617."""
    return base64.b64encode(f"{rng.choice(_NAMES)}:{password(rng)}".encode()).decode()


def password(rng: random.Random) -> str:
    """One word as people and generators choose it, without what would end it in a line."""
    kind = rng.randint(0, 3)
    if kind == 0:
        return rng.choice(("hunter", "Sommer", "letmein", "Passw0rd", "qwerty", "dragon")) + some(
            rng, rng.randint(1, 4), DIGITS
        )
    if kind == 1:
        return some(rng, rng.randint(8, 24), ALNUM + "!@#$%^*_.+-")
    return some(rng, rng.randint(8, 32)) if kind == 2 else "-".join(some(rng, 5, LOWER) for _ in range(4))


def _phrase(rng: random.Random) -> str:
    """In quotes: with spaces and signs."""
    return some(rng, 3, LOWER) + " " + some(rng, 6, ALNUM + "&,;:<>()[]{}=|!?") + some(rng, 4)


def _checked(prefix: str) -> Make:
    """GitHub's and npm's form: 30 characters, and their CRC-32 in base 62."""

    def make(rng: random.Random) -> str:
        body = some(rng, 30)
        crc, tail = zlib.crc32(body.encode()), ""
        for _ in range(6):
            crc, digit = divmod(crc, 62)
            tail = (DIGITS + UPPER + LOWER)[digit] + tail
        return prefix + body + tail

    return make


def _pypi(rng: random.Random) -> str:
    """A macaroon (version 2) whose location is the Python package index's host."""
    begin = base64.b64decode("AgEIcHlwaS5vcmcC") + b"\x24"
    data = begin + some(rng, 36, HEX + "-").encode() + b"\x00\x00\x06\x20" + rng.randbytes(32)
    return "pypi-" + _b64url(data)


def _base64(size: int) -> Make:
    return lambda rng: base64.b64encode(rng.randbytes(size)).decode()


def _slack(prefix: str, numbers: int, tail: int, chars: str = ALNUM) -> Make:
    return lambda rng: "-".join(
        [prefix, *(some(rng, rng.randint(10, 13), DIGITS) for _ in range(numbers)), some(rng, tail, chars)]
    )


def pem(label: str, *, escaped: bool = False) -> Make:
    """RFC 7468 (and OpenSSH's, RFC 4880's) armour around bytes by chance."""

    def make(rng: random.Random) -> str:
        text = base64.b64encode(rng.randbytes(rng.choice((48, 121, 640, 1200)))).decode()
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        return ("\\n" if escaped else "\n").join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])

    return make


def _key(rng: random.Random) -> str:
    """A key without any mark of its vendor."""
    return rng.choice(
        (
            some(rng, 32, HEX),
            some(rng, 40),
            some(rng, 24, URL64),
            base64.b64encode(rng.randbytes(24)).decode().rstrip("="),
        )
    )


def _vendors() -> list[Form]:
    aws = "AWS IAM user guide, unique identifiers"
    gitlab = "GitLab docs, token overview, token prefixes"
    github = "GitHub docs, token formats"
    made = [
        ("aws_access_key_id", "aws", aws, lambda rng: rng.choice(("AKIA", "ASIA")) + some(rng, 16, UPPER + "234567")),
        ("gcp_api_key", "gcp", "Google Cloud docs, API keys", _after("AIza", 35, URL64)),
        ("gcp_access_token", "gcp", "Google Identity docs, OAuth 2.0 access tokens", _after("ya29.a0", 140, URL64)),
        ("gcp_client_secret", "gcp", "Google Cloud docs, OAuth clients", _after("GOCSPX-", 28, URL64)),
        ("azure_client_secret", "azure", "Microsoft Purview, Entra client secret",
         lambda rng: some(rng, 3) + rng.choice(DIGITS) + "Q~" + some(rng, 34, ALNUM + "_-.~")),
        *[(f"github_{p[:-1]}", "github", github, _checked(p)) for p in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")],
        ("github_fine_grained", "github", github, lambda rng: f"github_pat_{some(rng, 22)}_{some(rng, 59)}"),
        *[(f"gitlab_{p[:-1]}", "gitlab", gitlab, _after(p, 20, URL64))
          for p in ("glpat-", "gldt-", "glrt-", "glft-", "glsoat-", "glffct-")],
        ("gitlab_glimt", "gitlab", gitlab, _after("glimt-", 25, URL64)),
        ("gitlab_glptt", "gitlab", gitlab, _after("glptt-", 40, HEX)),
        ("gitlab_gloas", "gitlab", gitlab, _after("gloas-", 64, HEX)),
        ("gitlab_glagent", "gitlab", gitlab, _after("glagent-", 50, URL64)),
        ("gitlab_glcbt", "gitlab", gitlab, lambda rng: f"glcbt-{some(rng, 2, HEX)}_{some(rng, 20, URL64)}"),
        ("gitlab_routable", "gitlab", gitlab,
         lambda rng: f"glpat-{some(rng, 27, URL64)}.{some(rng, 2, DIGITS + LOWER)}.{some(rng, 9, DIGITS + LOWER)}"),
        ("slack_bot", "slack", "Slack docs, token types", _slack("xoxb", 2, 24)),
        ("slack_user", "slack", "Slack docs, token types", _slack("xoxp", 3, 32, HEX)),
        ("slack_app", "slack", "Slack docs, token types",
         lambda rng: f"xapp-1-A{some(rng, 10, UPPER + DIGITS)}-{some(rng, 13, DIGITS)}-{some(rng, 64, HEX)}"),
        ("slack_refresh", "slack", "Slack docs, token rotation", lambda rng: "xoxe-1-" + some(rng, 140)),
        ("stripe_secret", "stripe", "Stripe docs, API keys",
         lambda rng: rng.choice(("sk_live_", "sk_test_")) + some(rng, rng.choice((24, 99)))),
        ("stripe_restricted", "stripe", "Stripe docs, API keys",
         lambda rng: rng.choice(("rk_live_", "rk_test_")) + some(rng, rng.choice((24, 99)))),
        ("stripe_webhook", "stripe", "Stripe docs, webhook signatures", _after("whsec_", 32)),
    ]  # fmt: skip
    return [Form(*each) for each in made]


def _similar() -> list[Form]:
    made: list[tuple[str, str, Make]] = [
        ("npm", "npm docs, access tokens", _checked("npm_")),
        ("pypi", "PyPI docs, API tokens", _pypi),
        ("sendgrid", "SendGrid docs, API keys", lambda rng: f"SG.{some(rng, 22, URL64)}.{some(rng, 43, URL64)}"),
        ("openai_project", "OpenAI docs, API keys",
         lambda rng: f"sk-proj-{some(rng, 74, URL64)}T3BlbkFJ{some(rng, 73, URL64)}"),
        ("openai_legacy", "OpenAI docs, API keys", lambda rng: f"sk-{some(rng, 20)}T3BlbkFJ{some(rng, 20)}"),
        ("anthropic", "Anthropic docs, API keys", lambda rng: f"sk-ant-api03-{some(rng, 93, URL64)}AA"),
        ("hugging_face", "Hugging Face docs, access tokens", _after("hf_", 34, UPPER + LOWER)),
        ("digitalocean", "DigitalOcean docs, token prefixes",
         lambda rng: rng.choice(("dop_v1_", "doo_v1_", "dor_v1_")) + some(rng, 64, HEX)),
        ("shopify", "Shopify docs, access token prefixes",
         lambda rng: rng.choice(("shpat_", "shpss_", "shpca_", "shppa_")) + some(rng, 32, HEX)),
        ("vault", "HashiCorp Vault docs, token prefixes", _after("hvs.", 92, URL64)),
        ("terraform_cloud", "HCP Terraform docs, API tokens", lambda rng: f"{some(rng, 14)}.atlasv1.{some(rng, 67)}"),
        ("databricks", "Databricks docs, access tokens", _after("dapi", 32, HEX)),
        ("doppler", "Doppler docs, token formats", _after("dp.pt.", 43)),
        ("grafana", "Grafana docs, service account tokens", lambda rng: f"glsa_{some(rng, 32)}_{some(rng, 8, HEX)}"),
        ("new_relic", "New Relic docs, API keys", _after("NRAK-", 27, UPPER + DIGITS)),
        ("linear", "Linear docs, API keys", _after("lin_api_", 40)),
        ("postman", "Postman docs, API keys", lambda rng: f"PMAK-{some(rng, 24, HEX)}-{some(rng, 34, HEX)}"),
        ("rubygems", "RubyGems guides, API keys", _after("rubygems_", 48, HEX)),
        ("atlassian", "Atlassian docs, API tokens",
         lambda rng: f"ATATT3xFfGF0{some(rng, 171, URL64)}={some(rng, 8, DIGITS + 'ABCDEF')}"),
        ("telegram_bot", "Telegram Bot API, authorizing your bot",
         lambda rng: f"{rng.randint(10**8, 10**10 - 1)}:AA{some(rng, 33, URL64)}"),
        ("heroku", "Heroku dev centre, authorization tokens", _after("HRKU-AA", 58, URL64)),
    ]  # fmt: skip
    return [Form(name, "similar tokens", source, make) for name, source, make in made]


def _personal() -> list[Form]:
    cards = "ISO/IEC 7812-1 and the networks' ranges"
    return [
        *(Form(f"card_{network}", "payment card", cards, _card(network)) for network in _CARDS),
        Form("us_ssn", "US SSN", "Social Security Administration, SSN randomization", ssn),
        Form("iban", "IBAN", "ISO 13616, SWIFT's IBAN registry", _iban(False)),
        Form("iban_printed", "IBAN", "ISO 13616, print format", _iban(True)),
        Form("email", "e-mail", "RFC 5321", email),
        Form("phone_e164", "phone", "ITU-T E.164", _phone_e164),
        Form("phone_e123", "phone", "ITU-T E.123", _phone_e123),
        Form("phone_nanp", "phone", "NANPA numbering plan", _phone_nanp),
    ]


_ARMOUR = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY")

ANYWHERE: tuple[Form, ...] = (
    *_personal(),
    Form("jwt", "JWT", "RFC 7519, RFC 7515", jwt),
    Form("jwe", "JWT", "RFC 7516, compact form", _jwe),
    *_vendors(),
    *_similar(),
    *(
        Form("pem_" + each.split()[0].lower(), "PEM private key", "RFC 7468, OpenSSH PROTOCOL.key", pem(each))
        for each in _ARMOUR
    ),
    Form("pem_escaped", "PEM private key", "RFC 7468, in JSON", pem("PRIVATE KEY", escaped=True)),
    Form("pgp_private_key", "PEM private key", "RFC 9580, ASCII armour", pem("PGP PRIVATE KEY BLOCK")),
)
"""Forms that tell by themselves what they are, wherever they stand."""

BEARER = Form("bearer", "bearer credentials", "RFC 6750", _b64token)
BASIC = Form("basic", "basic credentials", "RFC 7617", _basic)
PASSWORD = Form("password", "password assignment", "one word, by hand or by a generator", password)
PHRASE = Form("password_quoted", "password assignment", "in quotes, with spaces and signs", _phrase)
URL_PASSWORD = Form(
    "url_password",
    "password in a URL",
    "RFC 3986, userinfo",
    lambda rng: some(rng, rng.randint(6, 24), ALNUM + "-._~!$*+"),
)
KEY = Form("api_key", "key by its context", "hex, base64 or letters and digits, without a mark", _key)
AWS_SECRET = Form("aws_secret_access_key", "key by its context", "AWS: 40 characters of base64", _base64(30))
AZURE_ACCOUNT = Form("azure_account_key", "azure", "Azure storage docs, connection strings", _base64(64))
AZURE_SHARED = Form("azure_shared_access_key", "azure", "Azure Service Bus docs, connection strings", _base64(32))
AZURE_SAS = Form("azure_sas", "azure", "Azure storage docs, shared access signatures",
                 lambda rng: _base64(32)(rng).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"))  # fmt: skip
SLACK_ROTATING = Form("slack_rotating", "slack", "Slack docs, token rotation", _after("xoxp-1-", 160))
SLACK_WEBHOOK = Form("slack_webhook", "slack", "Slack docs, incoming webhooks", lambda rng: some(rng, 24))
