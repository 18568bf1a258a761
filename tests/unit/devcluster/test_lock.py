from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from provisioner.devcluster.lock import Coordinate, digest, parse_lock, pinned, server_version

LINE = f"org.example:thing:1.0:jar lib 5 {'0' * 64}"


def test_the_lock_in_the_package_is_whole() -> None:
    plain, secure = pinned(secure=False), pinned(secure=True)
    sizes = {a.coordinate: a.size for a in plain}  # four jars belong to two modules
    assert (len(plain), len(sizes)) == (104, 100)
    assert [a.coordinate.artifact for a in secure if a not in plain] == ["opensearch-security", "commons-collections4"]
    assert server_version(plain) == "3.4.0"
    assert {a.coordinate.artifact for a in plain} >= {"opensearch", "lucene-core", "icu4j", "opensearch-job-scheduler"}
    assert 70e6 < sum(sizes.values()) < 80e6  # what the help of `dev up` says it fetches
    places = [(a.coordinate, a.folder) for a in secure]
    assert len(set(places)) == len(places)


def test_every_module_has_its_descriptor_and_its_jars() -> None:
    described = tomllib.loads(files("provisioner.devcluster").joinpath("modules.toml").read_text())
    locked = {a.folder.removeprefix("modules/") for a in pinned(secure=False) if a.folder.startswith("modules/")}
    assert set(described) == locked
    assert all(module.get("extended", "lang-painless") in described for module in described.values())


def test_a_module_holds_no_jar_of_the_server() -> None:
    """The server's check for jar hell would stop it."""
    artifacts = pinned(secure=True)
    lib = {a.coordinate.artifact for a in artifacts if a.folder == "lib"}
    assert not [a for a in artifacts if a.folder.startswith("modules/") and a.coordinate.artifact in lib]


def test_comments_and_empty_lines_are_skipped() -> None:
    (artifact,) = parse_lock(f"# a comment\n\n{LINE} secure\n")
    assert (str(artifact.coordinate), artifact.folder, artifact.size) == ("org.example:thing:1.0:jar", "lib", 5)
    assert artifact.secure_only


@pytest.mark.parametrize(
    "line",
    [
        "org.example:thing:1.0:jar lib 5",
        LINE.replace("0" * 64, "0" * 63),
        LINE.replace(" 5 ", " five "),
        LINE.replace(":jar", ":exe"),
        LINE.replace(":jar", ""),
        LINE.replace("thing", "../thing"),
        f"{LINE} insecure",
    ],
)
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^artifacts\.lock:2: "):
        parse_lock(f"# first\n{line}\n")


def test_a_coordinate_is_the_path_that_maven_uses() -> None:
    coordinate = Coordinate.parse("org.apache.lucene:lucene-core:10.3.2:jar")
    assert coordinate.repository_path == "org/apache/lucene/lucene-core/10.3.2/lucene-core-10.3.2.jar"


def test_the_digest_changes_with_anything_that_changes_the_distribution() -> None:
    one = parse_lock(LINE)
    others = [parse_lock(LINE.replace(*pair)) for pair in ((" lib ", " bin "), ("1.0", "1.1"), ("0" * 64, "1" * 64))]
    digests = {digest(one), digest(one, "more"), digest(()), *(digest(other) for other in others)}
    assert len(digests) == 6
