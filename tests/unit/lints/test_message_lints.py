"""RED002 in message templates of the repository: told once, at the template's own line and column."""

import re
import shutil

from provisioner import repository, starter


def _found(root):
    return [f for f in repository.load(root).findings if f.code == "RED002"]


def test_a_message_template_is_told_at_its_place_and_once(make_repository):
    root = make_repository({})
    shutil.copytree(starter.folder() / "rules", root / "rules", dirs_exist_ok=True)
    shutil.copytree(starter.folder() / "templates", root / "templates", dirs_exist_ok=True)
    assert _found(root) == []
    file = root / "templates" / "messages" / "events.mustache"
    file.write_text(
        "{{#sample_documents}}\n  {{{_source.db_password}}} {{_source.message}}\n{{/sample_documents}}\n",
        encoding="utf-8",
    )
    (found,) = _found(root)
    assert str(found.origin) == "templates/messages/events.mustache:2:3"
    assert "'_source.db_password'" in found.message


def test_what_a_body_template_writes_is_told_at_the_rule(make_repository):
    root = make_repository({})
    shutil.copytree(starter.folder() / "rules", root / "rules", dirs_exist_ok=True)
    shutil.copytree(starter.folder() / "templates", root / "templates", dirs_exist_ok=True)
    file = root / "templates" / "monitors" / "actions.yml.j2"
    text = file.read_text(encoding="utf-8")
    changed, times = re.subn(
        r'"subject_template": .*',
        """"subject_template": {"lang": "mustache", "source": {{ '{{#toJson}}ctx.results{{/toJson}}' }}},""",
        text,
    )
    assert times == 1
    file.write_text(changed, encoding="utf-8")
    found = _found(root)
    assert found
    assert {f.origin.file.split("/")[0] for f in found} == {"rules"}
    assert all("whole events, ctx.results" in f.message for f in found)
