"""How a target's client proves who it is: name and password, a token, or AWS signatures."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner import secretrefs
from provisioner.errors import ClusterError, ProvisionerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provisioner.settings import Aws, Target


@dataclass(frozen=True, slots=True)
class Proof:
    """A header that proves who we are, or else what signs every request; and the texts that nobody may see.

    `hidden` maps each such text to what is shown instead.
    """

    who: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sign: Callable[..., dict[str, str]] | None = field(default=None, repr=False)
    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)

    def hide(self, text: str) -> str:
        """The text without secrets: what a server says may repeat them."""
        for secret, shown in list(self.hidden.items()):
            text = text.replace(secret, shown)
        return text


def prove(target: Target) -> Proof:
    """What the target's settings give. Raises MissingSecretError, ClusterError; ProvisionerError without botocore."""
    if target.aws:
        hidden: dict[str, str] = {}
        who = f"an AWS identity ({target.aws.profile or 'default profile'})"
        return Proof(who, sign=_signer(target.name, target.aws, hidden), hidden=hidden)
    if target.token:
        token = secretrefs.resolve(target.token)
        if not token or not all("!" <= letter <= "~" for letter in token):
            raise ClusterError(
                f"the token of target {target.name!r} is empty, or has characters that no header can hold",
                f"look at what {target.token} refers to",
            )
        return Proof("the token", {"authorization": f"Bearer {token}"}, hidden={token: target.token})
    if target.username and target.password:
        name, password = secretrefs.resolve(target.username), secretrefs.resolve(target.password)
        pair = base64.b64encode(f"{name}:{password}".encode()).decode()
        hidden = {pair: "(secret)"} | ({password: target.password} if password else {})
        return Proof(target.username, {"authorization": f"Basic {pair}"}, hidden=hidden)
    return Proof("a client certificate" if target.client_cert else "nobody")


def _signer(target: str, aws: Aws, hidden: dict[str, str]) -> Callable[..., dict[str, str]]:
    """Signs one request (Signature Version 4), with whatever credentials botocore finds for the profile.

    Session tokens that go out with a request are added to `hidden`.
    """
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ProvisionerError(
            f"target {target!r} signs its requests for AWS, for which botocore is missing",
            "install the aws extra: pip install 'provisioner[aws]'",
        ) from None
    from opensearchpy import Urllib3AWSV4SignerAuth

    logging.getLogger("botocore.auth").setLevel(logging.INFO)  # at DEBUG it logs session tokens
    hint = "give credentials as for the aws command: environment, profile, or the machine's role"
    try:
        credentials = botocore.session.Session(profile=aws.profile).get_credentials()
        if credentials is None:
            raise ClusterError(f"there are no AWS credentials for target {target!r}", hint)
        signer: Any = Urllib3AWSV4SignerAuth(credentials, aws.region, aws.service)
    except BotoCoreError as error:
        raise ClusterError(f"there are no AWS credentials for target {target!r}: {error}", hint) from None

    def sign(method: str, url: str, body: bytes | None) -> dict[str, str]:
        try:
            headers = dict(signer(method, url, body))
        except BotoCoreError as error:  # credentials that ran out and can't be renewed
            raise ClusterError(f"requests to target {target!r} can't be signed: {error}", hint) from None
        if session := headers.get("X-Amz-Security-Token"):
            hidden[session] = "(secret)"
        return headers

    return sign
