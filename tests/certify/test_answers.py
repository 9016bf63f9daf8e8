"""What a look-up of a handler's own is answered has the form of the service's answers, and no next page."""

from __future__ import annotations

from typing import Any

import botocore.session
import msgspec

from eachonce_workbench.certify.answers import answer_to


def answer(service: str, operation: str) -> Any:
    model = botocore.session.get_session().get_service_model(service)
    return msgspec.json.decode(answer_to(model.operation_model(operation)))


def test_a_look_up_is_answered_with_one_of_everything() -> None:
    """A text that is a number, too."""
    parameter = answer("ssm", "GetParameter")["Parameter"]

    assert parameter["Value"] == "1"
    assert parameter["Version"] == 1
    assert parameter["Type"] == "String"


def test_there_is_no_next_page() -> None:
    """Or who asks for all would ask for ever."""
    page = answer("ssm", "DescribeParameters")

    assert len(page["Parameters"]) == 1
    assert "NextToken" not in page
