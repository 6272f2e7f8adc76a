from __future__ import annotations

from dataclasses import fields

from prometheus_client.parser import text_string_to_metric_families

from bot.http.metrics import ENGINE_COUNTERS, exposition
from bot.models.engine.counters import Counters


def test_every_counter_of_the_engine_is_given() -> None:
    assert set(ENGINE_COUNTERS) == {field.name for field in fields(Counters)}


def test_the_engines_numbers_can_be_read_by_prometheus() -> None:
    text = exposition(Counters(generated=7, queue_seconds=0.5), wait=1.5).decode()
    values = {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}
    assert values["frontdesk_engine_generated_total"] == 7
    assert values["frontdesk_engine_queue_seconds_total"] == 0.5
    assert values["frontdesk_engine_predicted_wait_seconds"] == 1.5


def test_without_an_engine_its_numbers_are_left_out() -> None:
    assert b"frontdesk_engine" not in exposition(None)
