"""What the helper is measured against: the article's function, scrubadub, and Presidio with its patterns only.

All take one JSON line as bytes and give what is left of it. scrubadub and Presidio are in the extra `bench`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Line = Callable[[bytes], object]

SENSITIVE_PATTERNS = {
    "password": r'"password"\s*:\s*"[^"]*"',
    "credit_card": r"\b(?:\d[ -]*?){13,16}\b",
    "ssn": r"\b\d{3}-\d{2}-\d{4}\b",
    "access_token": r'"access_token"\s*:\s*"[^"]*"',
    "api_key": r"[A-Za-z0-9]{32,}",
}


def redact_sensitive_data(log_entry: Any) -> Any:
    """The article's function, as it stands there."""
    return json.loads(substituted(log_entry))


def substituted(log_entry: Any) -> str:
    """Its text before it reads that as JSON again, which often is none any more."""
    entry = json.dumps(log_entry)
    for name, pattern in SENSITIVE_PATTERNS.items():
        entry = re.sub(pattern, f'"[{name}_REDACTED]"', entry)
    return entry


def article() -> Line:
    """It takes an event, so the line is parsed first; where what it made is no JSON any more, it raises."""

    def line(text: bytes) -> object:
        try:
            return redact_sensitive_data(json.loads(text))
        except json.JSONDecodeError:
            return None

    return line


def scrubadub() -> Line:
    """With the detectors that it has by default."""
    from scrubadub import Scrubber

    scrubber = Scrubber()
    return lambda text: scrubber.clean(text.decode())


def presidio(*, phone: bool = True) -> Line:
    """Its predefined recognizers that are patterns, in English, with an engine for language that does nothing."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    class Nothing(NlpEngine):  # type: ignore[misc]
        """No model can be had: no tokens, no names."""

        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> Any:
            return NlpArtifacts([], [], [], [], self, language)

        def process_batch(self, texts: Any, language: str, **_: Any) -> Any:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # not from the web
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=Nothing())
    kinds = (PatternRecognizer, PhoneRecognizer) if phone else PatternRecognizer
    registry.recognizers = [each for each in registry.recognizers if isinstance(each, kinds)]
    engine = AnalyzerEngine(registry=registry, nlp_engine=Nothing(), supported_languages=["en"])
    return lambda text: engine.analyze(text.decode(), language="en")
