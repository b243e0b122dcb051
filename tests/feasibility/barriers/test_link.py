"""Links between a device and an appliance."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.feasibility.barriers.link import LINKS, time_on_air


def seconds(name: str, sent: int, received: int = 2) -> np.ndarray:
    return LINKS[name].seconds(sent, received, 2000, np.random.default_rng(0))


# By hand: a symbol takes 32.768 ms; 20.25 of them, and 5 for each begun 40 of the bits
# 8 * (payload + 13) - 4.
@pytest.mark.parametrize(("payload", "expected"), [(1, 1.155), (8, 1.483), (51, 2.793)])
def test_time_on_air_of_lorawan(payload, expected):
    assert time_on_air(payload) == pytest.approx(expected, abs=0.001)


def test_links_take_longer_from_lan_to_lora():
    medians = [np.median(seconds(name, 8)) for name in ("lan", "wifi", "lte", "nbiot", "lora")]
    assert medians == sorted(medians)
    assert medians[0] < 0.002 and medians[-1] > 3


def test_long_messages_take_longer_and_several_frames_of_lora():
    for name in ("lan", "wifi", "lte", "nbiot"):
        link = LINKS[name]
        more = seconds(name, 100_000) - seconds(name, 0)
        assert more == pytest.approx(np.full(2000, 800_000 / link.up))
    one, two = seconds("lora", 51)[0], seconds("lora", 52)[0]
    assert two - one == pytest.approx(1 + time_on_air(1))


def test_only_slow_links_send_levels():
    sent = {name: link.payload(8, 260, 400) for name, link in LINKS.items()}
    assert {name for name, sizes in sent.items() if sizes[0] == 8} == {"nbiot", "lora"}
    assert sent["lan"] == (260, 400)
