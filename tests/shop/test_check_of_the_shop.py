"""`eachonce check` finds nothing in the shop."""

from __future__ import annotations

import pytest

from eachonce_workbench.check import RULES
from eachonce_workbench.hardening import check
from eachonce_workbench.template import declared
from tests.shop.place import ROOT, TEMPLATE


@pytest.mark.parametrize(
    "parameters", [{}, {"MailSender": "shop@example.com", "Stage": "prod"}, {"PersonalFields": "clear"}], ids=repr
)
def test_the_shop_breaks_no_rule(parameters: dict[str, str]) -> None:
    """Neither its template nor the code of its functions."""
    found = check(declared(TEMPLATE, parameters=parameters), RULES, root=ROOT)

    assert [str(each) for each in found] == []
