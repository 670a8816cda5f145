"""Every request made to Twilio, and all that the stand-in answers, is described by it.

Twilio publishes a description of its API. It is no part of this project: the test reads
it from the file that VOUCHERS_TEST_TWILIO_OPENAPI names.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.vouchers.messages.gateways_at_hand import TO, House, house, text
from vouchers.messages.simulator.http import Request
from vouchers.messages.simulator.server import FORM_FIELDS

OPENAPI = os.environ.get("VOUCHERS_TEST_TWILIO_OPENAPI", "")
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
FORM = "application/x-www-form-urlencoded"
needs_description = pytest.mark.skipif(
    not OPENAPI, reason="VOUCHERS_TEST_TWILIO_OPENAPI is not set"
)
Document = dict[str, Any]


@pytest.fixture
def description() -> Document:
    """Twilio's own words."""
    found: Document = json.loads(Path(OPENAPI).read_text(encoding="utf-8"))
    return found


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, list[Request]]]:
    """A gateway, and every request that its provider hears."""
    with house("twilio many at once") as one:
        heard: list[Request] = []
        handle = one.simulator.server.handle

        def listen(request: Request) -> Any:
            if not request.target.startswith("/_simulator"):
                heard.append(request)
            return handle(request)

        monkeypatch.setattr(one.simulator.server, "handle", listen)
        yield one, heard


@needs_description
def test_every_request_of_the_product_is_described(seen, description: Document) -> None:
    """Names, types and required ones, of the form, the address and the question."""
    one, heard = seen
    one.send(text(1), text(2, to="+447700900900"))
    one.plan("drop_after")
    one.send(text(3))
    one.find(3)

    made = {(request.method, *operation(description, request)[:1]) for request in heard}
    assert made == {("POST", MESSAGES), ("GET", MESSAGES)}
    for request in heard:
        assert wrongs(description, request) == []


@needs_description
def test_the_stand_in_answers_as_described(seen, description: Document) -> None:
    """What it makes and lists has the fields, types and shapes of a message."""
    one, heard = seen
    one.send(text(1))
    one.find(1)

    message = description["components"]["schemas"]["api.v2010.account.message"]
    form = description["paths"][MESSAGES]["post"]["requestBody"]["content"][FORM]
    assert set(form["schema"]["properties"]) == FORM_FIELDS
    made, listed = (replay(one, request) for request in list(heard))
    page = description["paths"][MESSAGES]["get"]["responses"]["200"]["content"]
    assert set(listed) <= set(page["application/json"]["schema"]["properties"])
    for answer in (made, *listed["messages"]):
        assert misfits(answer, message) == []


@needs_description
@pytest.mark.parametrize(
    "change",
    [
        {"To": None},
        {"StatusCallBack": "https://vouchers.example"},
        {"MessagingServiceSid": "MG1"},
        {"RiskCheck": "maybe"},
    ],
)
def test_the_check_catches_what_it_is_for(description: Document, change) -> None:
    """A missing, misspelt, ill-shaped or unknown value does not pass."""
    form = {"To": TO, "Body": "x", "From": "FuelFund"} | change
    kept = urlencode({name: value for name, value in form.items() if value is not None})
    path = MESSAGES.replace("{AccountSid}", "AC" + "0" * 32)

    assert wrongs(description, Request("POST", path, {}, kept.encode()))
    assert wrongs(description, Request("GET", f"{path}?Too=1&PageSize=9999", {}, b""))
    odd = path.replace("AC", "XX")
    assert wrongs(description, Request("GET", odd, {}, b""))


def operation(description: Document, request: Request) -> tuple[str, Document]:
    """(template of the path, description) of what a request asks for."""
    path = request.target.partition("?")[0]
    for template, methods in description["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and request.method.lower() in methods:
            return template, methods[request.method.lower()]
    raise AssertionError(f"Twilio does not describe {request.method} of this path")


def wrongs(description: Document, request: Request) -> list[str]:
    """Names of all that a request has and should not, or has not and should."""
    template, described = operation(description, request)
    path, _, query = request.target.partition("?")
    names = re.findall(r"\{(\w+)\}", template)
    pattern = re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(template))
    matched = re.fullmatch(pattern, path)
    assert matched is not None
    rules: dict[str, Document] = {"path": {}, "query": {}}
    needed: dict[str, set[str]] = {"path": set(), "query": set()}
    for one in described.get("parameters", []):
        rules[one["in"]][one["name"]] = one["schema"]
        if one.get("required"):
            needed[one["in"]].add(one["name"])
    given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    in_path = dict(zip(names, matched.groups(), strict=True))
    shapes = description["components"]["schemas"]
    found = odd(in_path, rules["path"], needed["path"])
    found += odd(given, rules["query"], needed["query"])
    if "requestBody" in described:
        schema = described["requestBody"]["content"][FORM]["schema"]
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        fields = {
            name: shapes[rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule
            for name, rule in schema["properties"].items()
        }
        found += odd(form, fields, set(schema.get("required", [])))
    return found


def odd(given: Mapping[str, str], rules: Document, needed: set[str]) -> list[str]:
    """Names whose value in a form or address does not fit."""
    found = [*(given.keys() - rules.keys()), *(needed - given.keys())]
    for name in given.keys() & rules.keys():
        rule, value = rules[name], given[name]
        if rule.get("type") == "integer":
            low, high = rule.get("minimum", 0), rule.get("maximum", 2**63)
            fits = value.isdigit() and low <= int(value) <= high
        elif rule.get("type") == "boolean":
            fits = value in ("true", "false")
        else:
            fits = re.search(rule.get("pattern", ""), value) is not None
        if rule.get("format") == "phone-number":
            fits = (
                re.fullmatch(r"\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11}", value) is not None
            )
        if rule.get("format") == "uri":
            fits = re.match(r"https?://[^/]+/", value) is not None
        if "enum" in rule:
            fits = value in rule["enum"]
        if not fits:
            found.append(name)
    return found


def misfits(value: Document, schema: Document) -> list[str]:
    """Names of an answer's fields that are unknown, missing or of another type."""
    kinds = {"string": str, "integer": int, "object": dict, "boolean": bool}
    rules = schema["properties"]
    found = [*(value.keys() - rules.keys())]
    found += set(schema.get("required", [])) - value.keys()
    for name in value.keys() & rules.keys():
        rule, one = rules[name], value[name]
        if one is None:
            fits = bool(rule.get("nullable"))
        else:
            fits = isinstance(one, kinds.get(rule.get("type", ""), object))
            if fits and "pattern" in rule:
                fits = re.fullmatch(rule["pattern"], one) is not None
        if not fits:
            found.append(name)
    return found


def replay(one: House, request: Request) -> Document:
    """The provider's answer to the same request once more."""
    again = urllib.request.Request(
        one.simulator.url + request.target,
        data=request.body or None,
        headers={"Authorization": request.headers["authorization"]},
        method=request.method,
    )
    with urllib.request.urlopen(again, timeout=5) as answer:
        found: Document = json.load(answer)
        return found
