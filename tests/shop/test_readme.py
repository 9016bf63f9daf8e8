"""What the README says of the shop is there; its commands and its Python are tested with all pages, in tests/docs."""

import re

from tests.shop.place import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_an_example_of_sqs_names_the_endpoint_itself() -> None:
    """Version 1 of the AWS CLI ignores AWS_ENDPOINT_URL for SQS, and would reach AWS."""
    examples = re.findall(r"^aws .*sqs .*$", README, re.MULTILINE)

    assert examples
    assert [line for line in examples if "--endpoint-url" not in line] == []


def test_every_path_that_it_names_is_there() -> None:
    """A moved file would leave a dead link."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
