"""Labelled corpora of others, read from an unpacked package whose folder is given. Nothing of them stands here.

- gitleaks 8.30.1, the Go module github.com/zricethezav/gitleaks/v8 (`go mod download`): the examples in its rules'
  sources, true and false ones. Its own generator tells them, with one file of it replaced (gitleaks_validate.go).
- presidio-evaluator 0.3.2 from PyPI (`pip download --no-deps --no-binary :all:`): data/synth_dataset_v2.json, sentences
  with personal data by Faker, with their places.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from harness import secretforms
from harness.labelled import Labelled, Planted

GITLEAKS = "gitleaks 8.30.1 (Go module)"
PRESIDIO = "presidio-evaluator 0.3.2 (PyPI), synth_dataset_v2"
BESIDES = "not claimed"
PUBLIC = re.compile(r"https?://|xoxe\.(?=xox)")

VENDORS = ("aws", "gcp", "azure", "github", "gitlab", "slack", "stripe")
"""The issue names these; what gitleaks calls so, but for what is told of some below, must be found in any text."""
FORMS = {
    "jwt": "JWT",
    "private-key": "PEM private key",
    "curl-auth-header": "bearer and basic credentials",
    "generic-api-key": "key by its context",
}
SIMILAR = (
    "age-secret-key", "anthropic-admin-api-key", "anthropic-api-key", "digitalocean-access-token", "digitalocean-pat",
    "digitalocean-refresh-token", "grafana-service-account-token", "huggingface-access-token", "linear-api-key",
    "new-relic-user-api-key", "npm-access-token", "openai-api-key", "postman-api-token", "pypi-upload-token",
    "rubygems-api-token", "sendgrid-api-token", "sentry-org-token", "shopify-access-token",
    "shopify-custom-access-token", "shopify-private-app-access-token", "shopify-shared-secret", "vault-service-token",
)  # fmt: skip
"""Tokens of others that the catalogue lists. All else is told besides: most have no form of their own."""
UNCLAIMED = ("gitlab-session-cookie", "aws-amazon-bedrock-api-key-long-lived", "aws-amazon-bedrock-api-key-short-lived")

ENTITIES = {"CREDIT_CARD": "payment card", "US_SSN": "US SSN", "IBAN_CODE": "IBAN", "EMAIL_ADDRESS": "e-mail"}
ENTITIES |= {"PHONE_NUMBER": "phone"}


def gitleaks(folder: pathlib.Path) -> Iterator[Labelled]:
    """Its rules' examples. Raises RuntimeError where Go is missing or the module can't be built."""
    with tempfile.TemporaryDirectory() as name:
        copy = pathlib.Path(name, "gitleaks")
        shutil.copytree(folder, copy, copy_function=shutil.copyfile)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        generator = copy / "cmd/generate"
        shutil.copyfile(
            pathlib.Path(__file__).with_name("gitleaks_validate.go"), generator / "config/utils/validate.go"
        )
        secrets = generator / "secrets/regen.go"  # the same secrets at every run
        seeded = secrets.read_text().replace(
            "return g.Generate(1)", "g.SetSeed(int64(len(regex)))\n\treturn g.Generate(1)"
        )
        secrets.write_text(seeded)
        done = subprocess.run(
            ["go", "run", ".", str(pathlib.Path(name, "out.toml"))],
            cwd=generator / "config", capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"gitleaks' generator ended with {done.returncode}: {done.stderr[-2000:]}")
    for line in sorted(done.stdout.splitlines()):
        yield from _example(json.loads(line))


def _example(told: dict[str, Any]) -> Iterator[Labelled]:
    rule, text, secret = told["rule"], told["text"], told["secret"]
    event = {"message": text}
    if not told["wanted"]:
        yield Labelled(event, (), rule)
    elif secret and (start := text.find(secret)) >= 0:
        end = start + len(secret)
        if scheme := PUBLIC.match(secret):  # what says only of what kind it is may stay
            start += scheme.end()
        yield Labelled(event, (Planted(rule, group(rule), ("message",), start, end, (start, end)),))


def group(rule: str) -> str:
    """What of the issue a rule of gitleaks belongs to."""
    vendor = rule.split("-", maxsplit=1)[0]
    if vendor in VENDORS and rule not in UNCLAIMED:
        return vendor
    return FORMS.get(rule, "similar tokens" if rule in SIMILAR else BESIDES)


def presidio(folder: pathlib.Path) -> Iterator[Labelled]:
    """Its sentences; entities that no detector is for stay unlabelled. Cards that can't be any are told besides."""
    for item in json.loads((folder / "data/synth_dataset_v2.json").read_text(encoding="utf-8")):
        planted = []
        for span in item["spans"]:
            kind, start, end = span["entity_type"], span["start_position"], span["end_position"]
            if group := ENTITIES.get(kind):
                why = _unclaimed(kind, span["entity_value"])
                form = f"{kind} ({why})" if why else kind
                planted.append(Planted(form, BESIDES if why else group, ("message",), start, end, (start, end)))
        yield Labelled({"message": item["full_text"]}, tuple(planted))


def _unclaimed(kind: str, value: str) -> str:
    """Why the catalogue does not claim a value that Faker made: not all of them are what they are called."""
    plain = "".join(c for c in value if c.isalnum())
    if kind == "CREDIT_CARD":
        if len(plain) < 13 or secretforms.luhn(plain[:-1]) != int(plain[-1]):
            return "twelve digits, or a wrong check digit"
        return "JCB's former 15 digits" if plain.startswith(("1800", "2131")) else ""
    if kind == "IBAN_CODE":
        if plain != plain.upper():
            return "in small letters"
        return "" if secretforms.check_digits(plain[:2], plain[4:]) == plain[2:4] else "wrong check digits"
    return ""
