"""As a child process, `harness.attackcache FILE`: ATT&CK from a file into the cache in which pySigma looks for it below
the home folder, and an empty D3FEND, so that `sigma check` does not ask the web for them."""

from __future__ import annotations

import pathlib
import sys

from sigma.data import mitre_attack, mitre_d3fend


def main() -> None:
    """Reading them fills the cache."""
    file = pathlib.Path(sys.argv[1])
    mitre_attack.set_url(str(file))
    mitre_d3fend.set_url(str(file))  # knows nothing of it, and has tactics of its own
    if not mitre_attack.mitre_attack_techniques or not mitre_d3fend.mitre_d3fend_tactics:
        raise SystemExit("pySigma did not read them")


if __name__ == "__main__":
    main()
