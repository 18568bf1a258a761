"""What would no longer be taken out of events: the starter pack's redaction, changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner import risks, source
from provisioner.compile import Compiler
from provisioner.model import Action, Change, Live
from provisioner.settings import Settings, Target

ROOT = Path(__file__).parents[3]
READ = source.load(ROOT, {"replicas": 1})
PACK = Compiler(ROOT, Settings("acme", Target("tests", ("http://127.0.0.1:9",), vars={"replicas": 1})), READ)
DOCUMENT = READ.documents["redaction", "redaction"]


def compiled(change=lambda document: None):
    """The pipeline of the document, after a change to it."""
    body = json.loads(json.dumps(DOCUMENT.body))
    change(body)
    return PACK.resource(replace(DOCUMENT, body=body)).body


def detector(document, name):
    return next(found for found in document["detectors"] if found["name"] == name)


def warned(before, after, kind="ingest_pipeline"):
    live = Live(kind, "x", before, "x")
    found = risks.of(Change(Action.UPDATE, kind, "x", "changed", after=after, live=live))
    assert len(found) <= 1
    return found[0] if found else ""


def drop(name):
    return lambda document: document["detectors"].remove(detector(document, name))


def switch_off(document):
    detector(document, "ssn")["enabled"] = False


def without(name, key, value):
    return lambda document: detector(document, name)[key].remove(value)


def longer_prefix(document):
    detector(document, "api_key")["prefixes"][0]["min"] = 40


def shorter_prefix(document):
    detector(document, "api_key")["prefixes"][0].update(min=14, max=16)


def narrower_prefix(document):
    next(p for p in detector(document, "api_key")["prefixes"] if p["text"] == "hf_")["chars"] = "upper"


def wider_prefix(document):
    detector(document, "api_key")["prefixes"][0]["chars"] = "token"


def shorter_end(document):
    next(p for p in detector(document, "api_key")["prefixes"] if p["text"] == "dckr_pat_")["max"] = 40


def only_in_labels(document):
    detector(document, "ssn")["fields"] = ["labels"]


def not_in_notes(document):
    detector(document, "ssn")["except"] = ["labels.note"]


def cards_of_tests_stay(document):
    detector(document, "credit_card")["allow"] = ["4111111111111111", "4242424242424242"]


def last_four(document):
    detector(document, "credit_card")["action"] = "partial"


def dropped(document):
    detector(document, "credit_card")["action"] = "drop"


def off_for_network(document):
    detector(document, "iban")["log_types"] = {"network": False, "audit": True}


def on_for_audit_only(document):
    detector(document, "iban").update(enabled=False, log_types={"audit": True})


def no_headers(document):
    found = detector(document, "access_token")
    found["names"] += found.pop("headers")


def no_german_accounts(document):
    del document["ibans"]["DE"]


def no_maestro(document):
    document["issuers"] = [issuer for issuer in document["issuers"] if issuer["name"] != "maestro"][:-1]


def fewer_lengths(document):
    document["issuers"][0]["lengths"] = [16]


def wider_issuer(document):
    document["issuers"] = [i for i in document["issuers"] if i["name"] != "mastercard"]
    document["issuers"] += [
        {"name": "all", "from": "50", "to": "59", "lengths": [16]},
        {"name": "all", "from": "2000", "to": "2999", "lengths": [15, 16]},
    ]


def name_as_ending(document):
    found = detector(document, "password")
    found["names"].remove("passcode")
    found["endings"].append("code")


def add(document):
    detector(document, "password")["names"].append("kennwort")
    detector(document, "email")["enabled"] = True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop("ssn"), "nothing is found as ssn any more"),
        (switch_off, "nothing is found as ssn any more"),
        (without("password", "names", "pin"), "the key pin (password)"),
        (without("password", "endings", "passphrase"), "keys that end with passphrase (password)"),
        (without("password", "endings", "password_hash"), "keys that end with passwordhash (password)"),
        (without("access_token", "finders", "jwt"), "the form jwt (access_token)"),
        (longer_prefix, "the prefix AKIA (api_key)"),
        (narrower_prefix, "the prefix hf_ (api_key)"),
        (
            fewer_lengths,
            "cards of visa from 4 with 13, 19 digits",
        ),
        (shorter_end, "the prefix dckr_pat_ (api_key)"),
        (only_in_labels, "ssn is looked for in labels only"),
        (not_in_notes, "ssn is not looked for in labels.note"),
        (cards_of_tests_stay, "2 more values of credit_card stay"),
        (last_four, "of credit_card the last four characters stay"),
        (off_for_network, "iban is switched off for network"),
        (on_for_audit_only, "iban is switched off"),
        (
            no_headers,
            "the rest of the line after cookie (access_token); the rest of the line after setcookie (access_token)",
        ),
        (no_german_accounts, "IBANs of DE"),
        (dropped, ""),
        (shorter_prefix, ""),
        (wider_prefix, ""),
        (wider_issuer, ""),
        (name_as_ending, ""),
        (add, ""),
    ],
)
def test_the_tables(change, words):
    assert warned(compiled(), compiled(change)) == (f"weakens redaction: {words}" if words else "")


def test_digits_are_compared_with_as_many_digits():
    """2799 begins with 27, and lies outside of 2221 to 2720."""

    def short(document):
        document["issuers"] = [{"name": "x", "from": "27", "to": "27", "lengths": [16]}]

    def long(document):
        document["issuers"] = [{"name": "x", "from": "2221", "to": "2720", "lengths": [16]}]

    assert warned(compiled(short), compiled(long)) == "weakens redaction: cards of x from 27 with 16 digits"


def test_several_at_once():
    words = warned(compiled(), compiled(no_maestro))
    assert words.startswith("weakens redaction: cards of unionpay from 62 with 16, 17, 18, 19 digits; cards of maestro")
    assert words.count("cards of") == 6


def changed(**more):
    body = compiled()
    body["processors"][-1]["script"].update(more)
    return body


def test_a_script_that_may_be_passed_by():
    assert warned(compiled(), changed(ignore_failure=True)) == (
        "weakens redaction: where the script fails, events are stored as they are"
    )
    assert warned(compiled(), changed(**{"if": "ctx.x == 1"})) == (
        "weakens redaction: the script runs only on a condition, which is another"
    )
    assert warned(changed(**{"if": "ctx.x == 1"}), compiled()) == ""


def test_a_new_source_alone_says_nothing():
    assert warned(compiled(), changed(source="return;")) == ""


def test_the_script_goes_or_the_pipeline():
    assert warned(compiled(), {"processors": [{"set": {"field": "x", "value": 1}}]}) == (
        "weakens redaction: the script that redacts goes"
    )
    live = Live("ingest_pipeline", "x", compiled(), "x")
    assert risks.of(Change(Action.DELETE, "ingest_pipeline", "x", "", live=live)) == (
        "weakens redaction: the pipeline is deleted",
    )


def test_other_pipelines_are_left_alone():
    normalize = PACK.resource(READ.documents["ingest_pipeline", "normalize"]).body
    assert warned(normalize, {"processors": []}) == ""


def template(**index):
    return {"template": {"settings": {"index": index}}}


@pytest.mark.parametrize("kind", ["index_template", "component_template"])
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (template(final_pipeline="r"), template(), "new indices no longer have the final pipeline r"),
        (
            template(final_pipeline="r"),
            template(final_pipeline="_none"),
            "new indices no longer have the final pipeline r",
        ),
        (template(final_pipeline="r"), {}, "new indices no longer have the final pipeline r"),
        (template(final_pipeline="r"), template(final_pipeline="s"), "new indices have the final pipeline s, not r"),
        (template(final_pipeline="r"), {"template": {"settings": {"index.final_pipeline": "r"}}}, ""),
        (template(), template(final_pipeline="r"), ""),
        (template(final_pipeline="_none"), template(), ""),
    ],
)
def test_final_pipelines(kind, before, after, words):
    assert warned(before, after, kind) == (f"weakens redaction: {words}" if words else "")


def test_a_template_that_is_deleted_is_used_by_nothing():
    live = Live("index_template", "x", template(final_pipeline="r"), "x")
    assert risks.of(Change(Action.DELETE, "index_template", "x", "", live=live)) == ()
