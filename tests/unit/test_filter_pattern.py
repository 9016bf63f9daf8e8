"""Filter patterns choose log events as CloudWatch Logs does."""

import pytest

from eachonce_workbench.cloud.logs.filter_pattern import FilterPattern
from eachonce_workbench.cloud.store.protocol import AwsError

LINE = '[ERROR] 400 BAD REQUEST: user-1 says "no"'
JSON = '{"level":"ERROR","ms":512.5,"ok":true,"gone":null,"user":{"id":"u-1"},"list":[1,{"a":"b"}],"odd name":"x"}\n'


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("", True),
        ("  ", True),
        ("ERROR", True),
        ("error", False),
        ("ERROR REQUEST", True),
        ("ERROR WARN", False),
        ("?WARN ?ERROR", True),
        ("?WARN ?INFO", False),
        ("ERROR -WARN", True),
        ("ERROR -400", False),
        ("-WARN", True),
        ('"BAD REQUEST"', True),
        ('"REQUEST BAD"', False),
        ('-"BAD REQUEST"', False),
        ('?"BAD REQUEST" ?nothing', True),
        ('"says \\"no\\""', True),
        ("user-1", True),
    ],
)
def test_terms_are_looked_for_in_the_message(pattern: str, matches: bool) -> None:
    """All of them, any of those with a question mark, none of those with a minus."""
    assert FilterPattern(pattern).matches(LINE) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.level = "ERROR" }', True),
        ("{ $.level = ERROR }", True),
        ('{ $.level != "ERROR" }', False),
        ('{ $.level = "ERR*" }', True),
        ('{ $.level = "*RR[OR]R" }', False),
        ('{ $.user.id = "u-1" }', True),
        ('{ $.user.name = "u-1" }', False),
        ('{ $.list[1].a = "b" }', True),
        ("{ $.list[7] = 1 }", False),
        ('{ $["odd name"] = x }', True),
        ("{ $.ms > 500 }", True),
        ("{ $.ms <= 512 }", False),
        ("{ $.ms = 512.5 }", True),
        ("{ $.level > 500 }", False),
        ("{ $.ok IS TRUE }", True),
        ("{ $.ok IS FALSE }", False),
        ("{ $.gone IS NULL }", True),
        ("{ $.nothing NOT EXISTS }", True),
        ("{ $.gone NOT EXISTS }", False),
        ('{ $.ms > 600 || $.level = "ERROR" && $.ok IS TRUE }', True),
        ('{ ($.ms > 500 || $.level = "INFO") && $.ok IS FALSE }', False),
        ("{(($.ms>500))}", True),
    ],
)
def test_fields_of_json_are_compared(pattern: str, matches: bool) -> None:
    """`&&` binds closer than `||`."""
    assert FilterPattern(pattern).matches(JSON) is matches


def test_conditions_on_fields_let_no_text_through() -> None:
    """A line that is no JSON has no fields."""
    assert not FilterPattern("{ $.level NOT EXISTS }").matches(LINE)
    assert not FilterPattern("{ $.level NOT EXISTS }").matches("{broken")


@pytest.mark.parametrize(
    "pattern",
    [
        '"open',
        "{ $.level }",
        "{ level = 1 }",
        "{ $.level = }",
        "{ $.level = 1",
        "{ $.level = 1 } more",
        "{ $.level > text }",
        "{ $.list[*] = 1 }",
        "{" + "(" * 500 + "$.a = 1" + ")" * 500 + "}",
        "[ip, user]",
        "%regular%",
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    """Not matched against anything."""
    with pytest.raises(AwsError) as refused:
        FilterPattern(pattern)

    assert refused.value.code == "InvalidParameterException"
