"""What overflows Java's stack, and what takes time beyond linear: verdicts, and their texts on a real Java."""

import base64
import json
import pathlib
import shutil
import subprocess
import time

import pytest

from provisioner.regexes import ambiguity, stack
from provisioner.regexes.automaton import TooLargeError
from provisioner.regexes.parse import Dialect, parse

CASES = json.loads(pathlib.Path(__file__).with_name("patterns.json").read_text(encoding="utf-8"))
"""`overflow`: [pattern, piece of text that does it]; `fits`, `super_linear`, `exponential` and `linear`:
patterns. All were tried on Java 17 and 25 (test_on_java does it again)."""


def _attack(pattern):
    return ambiguity.attack(parse(pattern, Dialect.JAVA), everywhere=True)


@pytest.mark.parametrize(("pattern", "piece"), CASES["overflow"])
def test_overflow(pattern, piece):
    assert stack.overflow(parse(pattern, Dialect.JAVA)), piece


@pytest.mark.parametrize("pattern", [*CASES["fits"], *CASES["linear"], *CASES["super_linear"]])
def test_no_overflow(pattern):
    assert stack.overflow(parse(pattern, Dialect.JAVA)) == ""


@pytest.mark.parametrize("pattern", CASES["super_linear"])
def test_super_linear(pattern):
    assert _attack(pattern).exponential is False


@pytest.mark.parametrize("pattern", CASES["exponential"])
def test_exponential(pattern):
    assert _attack(pattern).exponential is True


@pytest.mark.parametrize("pattern", CASES["linear"])
def test_linear(pattern):
    assert _attack(pattern) is None


def test_what_is_too_large_ends_soon():
    begin = time.process_time()
    with pytest.raises(TooLargeError):
        _attack("(" * 3 + "(?:a|b|c{3}){3}" * 40 + "){3}" * 3)
    with pytest.raises(TooLargeError):
        _attack("".join(f"[a-z{n}]*[^{n}]*x?" for n in range(10)) * 8 + "$")
    assert time.process_time() - begin < 10


JAVA = """
import java.nio.file.*; import java.util.*; import java.util.regex.*;
public class Probe {
  static String text(String coded) throws Exception {
    return new String(Base64.getDecoder().decode(coded), "UTF-8");
  }
  static class Limit extends RuntimeException { Limit() { super(null, null, false, false); } }
  static class Counted implements CharSequence {
    final String text; long reads = 0;
    Counted(String text) { this.text = text; }
    public int length() { return text.length(); }
    public char charAt(int i) { if (++reads > 80000000L) throw new Limit(); return text.charAt(i); }
    public CharSequence subSequence(int a, int b) { return text.subSequence(a, b); }
    public String toString() { return text; }
  }
  public static void main(String[] args) throws Exception {
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] parts = line.split(" ", -1);
      String[] out = {""};
      Thread thread = new Thread(null, () -> {
        Counted counted = null;
        try {
          counted = new Counted(text(parts[1]));
          Matcher matcher = Pattern.compile(text(parts[0])).matcher(counted);
          while (matcher.find()) {}
          out[0] = "" + counted.reads;
        } catch (StackOverflowError e) { out[0] = "overflow"; }
        catch (Limit e) { out[0] = "" + counted.reads; }
        catch (Exception e) { out[0] = e.toString(); }
      }, "probe", 1L << 20);  // the server's -Xss1m
      thread.start();
      thread.join();
      System.out.println(out[0]);
    }
  }
}
"""


@pytest.fixture(scope="module")
def java(tmp_path_factory):
    """What Java makes of pairs of pattern and text: "overflow", or how many characters it read."""
    if not shutil.which("javac"):
        pytest.skip("no Java compiler (javac) on this machine")
    folder = tmp_path_factory.mktemp("java")
    (folder / "Probe.java").write_text(JAVA, encoding="utf-8")
    subprocess.run(["javac", "Probe.java"], cwd=folder, check=True, capture_output=True)

    def run(pairs):
        coded = [" ".join(base64.b64encode(each.encode()).decode() for each in pair) for pair in pairs]
        (folder / "pairs").write_text("\n".join(coded), encoding="utf-8")
        done = subprocess.run(
            ["java", "-cp", str(folder), "Probe", str(folder / "pairs")], check=True, capture_output=True, text=True
        )
        return done.stdout.split()

    return run


@pytest.mark.long
def test_on_java_what_overflows_and_what_does_not(java):
    told = [(pattern, piece * 100_000) for pattern, piece in CASES["overflow"]]
    assert dict(zip([p for p, _ in told], java(told), strict=True)) == {p: "overflow" for p, _ in told}
    pieces = ["a", "ab", "b", "a\U0001f600", "1", "1.", "aab,", ",", " ", "a ", "ac", "ay", "\r\n\n", "ae\u0301"]
    fine = [("^" + p, piece * 20_000) for p in (*CASES["fits"], *CASES["linear"]) for piece in pieces]
    assert [pair[0] for pair, said in zip(fine, java(fine), strict=True) if said == "overflow"] == []


@pytest.mark.long
def test_on_java_what_grows_and_what_does_not(java):
    pieces = ["a", "ab", ",", "1", " ", "a ", "a,", "1.", "=", "x=", '"', "password=", "\n", "-", "a@", "a.", "1-"]
    cases = []  # pattern, text with so many pieces, and with twice as many
    for pattern in CASES["super_linear"]:
        found = _attack(pattern)
        cases.append((pattern, found.text(300), found.text(600)))
    for pattern in CASES["linear"]:
        for piece in pieces:
            cases += [(pattern, piece * 2_000 + behind, piece * 4_000 + behind) for behind in ("", "!", "\n!")]
    said = [int(reads) for reads in java([(pattern, text) for pattern, *texts in cases for text in texts])]
    for (pattern, few, _), one, two in zip(cases, said[::2], said[1::2], strict=True):
        growth = 99 if one > 80_000_000 else two / max(one, 1)
        assert growth > 3 if pattern in CASES["super_linear"] else growth < 2.6, (pattern, few[:20], growth)
