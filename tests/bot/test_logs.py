from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot.logs import in_background, set_up_logging


def crash(secret: str) -> None:
    try:
        int("broken")
    except ValueError:
        structlog.get_logger().exception("request crashed")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_crash_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging("info", as_json=as_json)
    crash("hunter" + "2")
    logged = capsys.readouterr().err
    assert "ValueError" in logged
    assert "hunter2" not in logged


def test_the_log_for_machines_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", as_json=True)
    structlog.get_logger().info("退货", count=1)
    crash("x")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("退货", "info"), ("request crashed", "error")]


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("error", as_json=False)
    structlog.get_logger().warning("退货")
    output = capsys.readouterr()
    assert output.err + output.out == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_what_libraries_say_has_the_same_form(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging("info", as_json=as_json)
    set_up_logging("info", as_json=as_json)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("uvicorn.error").error("%s request(s) cut", 2)
        logging.getLogger("uvicorn.error").info("not of interest")
    [line] = capsys.readouterr().err.splitlines()
    if as_json:
        said = json.loads(line)
        assert said.pop("timestamp")
        assert said == {
            "event": "2 request(s) cut",
            "level": "error",
            "logger": "uvicorn.error",
            "request_id": "r-1",
        }
    else:
        assert all(part in line for part in ("2 request(s) cut", "error", "r-1"))


def test_a_crash_in_a_library_is_one_line_for_machines_and_shows_no_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", as_json=True)
    secret = "hunter" + "2"
    try:
        int("broken")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("crashed %s", secret[:0])
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError" in json.loads(line)["exception"]
    assert "hunter2" not in line


async def test_background_work_says_which_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        structlog.get_logger().info("done")

    set_up_logging("info", as_json=True)
    await in_background("settings", work())
    structlog.get_logger().info("after")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["background"], "background" in second) == ("settings", False)
