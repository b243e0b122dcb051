"""One process at a time builds in a folder, and the others say that they wait."""

import queue
import threading

from tensorspin_gateware.build.cache import locked


def test_second_process_says_that_it_waits(tmp_path):
    told = queue.Queue()
    entered = threading.Event()

    def build():
        with locked(tmp_path, told.put):
            entered.set()

    other = threading.Thread(target=build, daemon=True)
    with locked(tmp_path, told.put):
        other.start()
        assert "another process builds here" in told.get(timeout=60)
        assert not entered.is_set()
    other.join(timeout=60)
    assert entered.is_set() and told.empty()
