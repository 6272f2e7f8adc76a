from __future__ import annotations

import json

import pytest
import structlog

from bot.logs import set_up_logging


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
