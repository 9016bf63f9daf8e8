"""`eachonce run`, as a person types it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interruptible import started
from tests.shop.place import ROOT

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

# Every kind of invoice there is, and every kind that is refused.
ORDERS = [
    HEADER,
    "536365,85123A,HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom",
    "536365,85123A,HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom",
    "536366,71053,,1,2010-12-01T08:28:00,0.145,,France",
    "536366,71053,,-3,2010-12-01T08:27:00,0,,France",
    "C536379,85123A,,-1,2010-12-02T09:41:00,2.55,17850,United Kingdom",
    "536589,21777,,-10,2010-12-01T16:50:00,0,,United Kingdom",
    "A563185,B,Adjust bad debt,1,2011-08-12T14:50:00,11062.06,,United Kingdom",
    "A563186,B,Adjust bad debt,1,2011-08-12T14:51:00,-11062.06,,United Kingdom",
    "563187,B,,1,2011-08-12T14:52:00,-1,,United Kingdom",
    "C563188,B,,1,2011-08-12T14:52:00,1,,United Kingdom",
    "563189,B,,one,2011-08-12T14:52:00,1,,United Kingdom",
    *(f"536370,SKU{place},,1,2010-12-01T08:45:00,0.10,12583,France" for place in range(95)),
]


def eachonce(*arguments: str, root: Path = ROOT, **persons: str) -> subprocess.CompletedProcess[str]:
    """Run the CLI of the bundle in `root`, for a person with these environment variables."""
    environment = os.environ | {"PYTHONPATH": str(root)} | persons
    command = [sys.executable, "-c", "from eachonce_workbench.cli.app import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=root)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(ORDERS) + "\n")
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[Path]:
    """A copy of the bundle that a test may break."""
    root = tmp_path / "bundle"
    for name in ("functions", "layers", "eachonce_workbench", "data", "shop"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("template.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return root


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--limit", "1", "--json"],
        ["simulate", "--limit", "1", "--json"],
        ["certify", "--consumer", "track-customer", "--events", "1", "--json"],
    ],
    ids=lambda command: command[0],
)
def test_what_a_person_has_for_aws_breaks_nothing_here(command: list[str]) -> None:
    """Neither a profile that isn't there, nor an endpoint that is empty, nor a proxy that leads elsewhere."""
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")

    ended = eachonce(*command, **proxies, AWS_PROFILE="nope", AWS_ENDPOINT_URL="")

    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("Traceback") == 0


def test_every_kind_of_invoice_reconciles_under_disarray(orders: Path, tmp_path: Path) -> None:
    """Half of the messages twice, everything in any order: the books agree, and the files hold them."""
    out = tmp_path / "out"

    ended = eachonce(
        "run", "--input", str(orders), "--duplicates", "0.5", "--shuffle", "--seed", "7", "--out", str(out)
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1] == "reconciled: 5 orders, 0 lost, 0 doubled, 0 different, 5 refused"
    assert "AWS::CloudWatch::Dashboard Dashboard" in ended.stdout
    assert {row["invoice"] for row in rows(out / "refused.jsonl")} == {
        "A563185",
        "A563186",
        "563187",
        "C563188",
        "563189",
    }
    assert all(row["reason"] for row in rows(out / "refused.jsonl"))
    assert rows(out / "notifications.jsonl") == [{"order_id": order} for order in ("536365", "536366", "536370")]
    assert rows(out / "sales.jsonl") == [
        {"day": "2010-12-01", "country": "France", "units": 96, "revenue": "9.645"},
        {"day": "2010-12-01", "country": "United Kingdom", "units": 12, "revenue": "30.60"},
        {"day": "2010-12-02", "country": "United Kingdom", "units": -1, "revenue": "-2.55"},
    ]
    assert rows(out / "stock.jsonl")[:3] == [
        {"sku": "21777", "sold": 0, "returned": 0, "adjusted": -10},
        {"sku": "71053", "sold": 1, "returned": 0, "adjusted": -3},
        {"sku": "85123A", "sold": 12, "returned": 1, "adjusted": 0},
    ]
    assert rows(out / "customers.jsonl") == [
        {"customer": "12583", "last_order": "536370", "last_order_at": "2010-12-01T08:45:00", "country": "France"},
        {
            "customer": "17850",
            "last_order": "536365",
            "last_order_at": "2010-12-01T08:26:00",
            "country": "United Kingdom",
        },
    ]


def test_a_program_gets_one_json_object(orders: Path) -> None:
    """With --json, standard output holds nothing else."""
    ended = eachonce("run", "--input", str(orders), "--limit", "2", "--json")

    document = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert document["orders"] == 2
    assert document["lost"] == document["doubled"] == document["different"] == []
    assert document["consumers"]["TallySales"]["Done"] == 2


def test_a_consumer_that_is_wrong_is_found_out(orders: Path, bundle: Path) -> None:
    """What differs is said row by row, and the exit status is 1."""
    app = bundle / "functions" / "tally_sales" / "app.py"
    app.write_text(app.read_text().replace("units=sign * order.units", "units=order.units"))

    ended = eachonce("run", "--input", str(orders), root=bundle)

    assert ended.returncode == 1
    assert "different: sales 2010-12-02 United Kingdom: units is 1, expected -1" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "reconciled: 5 orders, 0 lost, 0 doubled, 1 different, 5 refused"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "nowhere.csv"], "nowhere.csv"),
        (["--limit", "0"], "--limit"),
        (["--duplicates", "2"], "--duplicates"),
        (["--sead", "1"], "--seed"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], said: str) -> None:
    """The exit status is 2, and nothing is started."""
    ended = eachonce("run", *arguments)

    assert ended.returncode == 2
    assert said in ended.stderr


@pytest.mark.parametrize(
    "command", [["run"], ["simulate"], ["certify"], ["serve", "--port", "0"]], ids=lambda it: it[0]
)
def test_a_broken_template_is_told_by_its_line(bundle: Path, command: list[str]) -> None:
    """Every command that reads the template ends with the line that is wrong, and without a traceback."""
    template = bundle / "template.yaml"
    lines = template.read_text().splitlines(keepends=True)
    wrong = next(number for number, line in enumerate(lines) if line.strip() == "Type: AWS::SQS::Queue")
    lines[wrong] = lines[wrong].replace("Queue", "Queu")
    template.write_text("".join(lines))

    ended = eachonce(*command, root=bundle)

    assert ended.returncode == 2
    assert re.fullmatch(
        rf"Error: \S*template\.yaml:{wrong + 1}: \w+: there is no resource type AWS::SQS::Queu: .*\n", ended.stderr
    )


def test_a_port_that_is_taken_is_a_wrong_argument() -> None:
    """Where something else listens, `serve` says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        ended = eachonce("serve", "--port", port)

    assert ended.returncode == 2
    assert f"{port}: Address already in use" in ended.stderr


def test_ctrl_c_stops_everything_that_was_started(orders: Path) -> None:
    """No function's process outlives the run, and there is no traceback."""
    with started("serve", "--port", "0") as served:
        assert served.stdout is not None
        assert served.stderr is not None
        endpoint = next(line.split()[2].rstrip(",") for line in served.stdout if line.startswith("listening on"))
        invoke(endpoint, "PlaceOrder")
        workers = children(served.pid)

        served.send_signal(signal.SIGINT)

        assert served.wait(timeout=30) == 130
        assert workers
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
        assert served.stderr.read() == "stopped\n"


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def invoke(endpoint: str, function: str) -> None:
    import boto3

    client = boto3.client(
        "lambda", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    payload = (ROOT / "events" / "place_order" / "direct.json").read_bytes()
    answer = json.load(client.invoke(FunctionName=function, Payload=payload)["Payload"])
    client.close()
    assert answer["outcome"] == "done"
