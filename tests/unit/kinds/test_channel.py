"""What a channel can't be made to do."""

import pytest

from provisioner.errors import ProvisionerError
from provisioner.kinds import all_kinds
from provisioner.model import Live


def test_a_change_of_type_is_refused_before_the_server_is_asked_and_says_what_to_do():
    live = Live("channel", "acme-slack", {"config_type": "webhook"}, "acme-slack")
    with pytest.raises(ProvisionerError, match="from webhook to slack") as caught:
        all_kinds()["channel"].update(None, live, {"config_type": "slack"})
    assert "another id" in caught.value.hint
