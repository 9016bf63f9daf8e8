"""A function is named by its name or its ARN, with or without a qualifier."""

import pytest

from eachonce_workbench.template.reference import parse


@pytest.mark.parametrize("start", ["", "123456789012:function:", "arn:aws:lambda:eu-west-1:123456789012:function:"])
@pytest.mark.parametrize("name", ["shop-Fn", "my-function", "function"])
@pytest.mark.parametrize("qualifier", [None, "$LATEST", "1", "live", "function"])
def test_every_form_is_read(start: str, name: str, qualifier: str | None) -> None:
    """A function may well be called function."""
    reference = f"{start}{name}" + ("" if qualifier is None else f":{qualifier}")

    assert parse(reference) == (name, qualifier or "$LATEST")
