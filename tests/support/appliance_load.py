"""Many clients at one appliance: ``python -m tests.support.appliance_load``.

Prints how long a request takes on a kept-alive connection, how long the appliance takes to start,
what memory it has after many jobs, and the longest wait of clients that ask all at once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from pathlib import Path

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from tensorspin.hybrid import ApplianceSampler
from tensorspin.server.tokens import add_token

from .appliances import RunningAppliance

PROCESSES = 5
"""Processes that the clients are in: one alone would be busier than the appliance."""


def circuit():
    """A circuit whose answer is its parameter, on a sampler that echoes."""
    made = QuantumCircuit(8)
    made.rx(Parameter("value"), 0)
    made.measure_all()
    return made


def one_client(url, arguments, seconds, offset, outcomes):
    """Ask until the time is over: (answers, wrong ones, errors, longest wait)."""
    answers, wrong, errors, longest, ends = 0, 0, 0, 0.0, time.monotonic() + seconds
    sent = circuit()
    with ApplianceSampler(url, **arguments) as client:
        while time.monotonic() < ends:
            value, begins = (offset + answers) % 256, time.monotonic()
            try:
                bits = client.run([(sent, [float(value)])], shots=50).result()[0].data.meas
                wrong += bits.get_int_counts() != {value: 50}
            except Exception:
                errors += 1
            longest = max(longest, time.monotonic() - begins)
            answers += 1
    outcomes.append((answers, wrong, errors, longest))


def several_clients(url, clients, seconds, queue):
    """Several clients, each on a thread of its own."""
    outcomes = []
    threads = [
        threading.Thread(target=one_client, args=(url, arguments, seconds, place, outcomes))
        for place, arguments in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(outcomes)


def load(appliance, clients, seconds):
    """Let clients, each with its own token, ask all at once."""
    arguments = []
    for place in range(clients):
        token, _ = add_token(appliance.token_file, f"client-{place}-{time.time_ns()}", None)
        arguments.append((place, appliance.arguments(token=token)))
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [
        context.Process(
            target=several_clients,
            args=(appliance.url, arguments[number::PROCESSES], seconds, queue),
        )
        for number in range(min(PROCESSES, clients))
    ]
    for process in processes:
        process.start()
    outcomes = [outcome for _ in processes for outcome in queue.get()]
    for process in processes:
        process.join()
    return {
        "clients": len(outcomes),
        "answers": sum(answers for answers, *_ in outcomes),
        "fewest answers of a client": min(answers for answers, *_ in outcomes),
        "wrong": sum(wrong for _, wrong, *_ in outcomes),
        "errors": sum(errors for _, _, errors, _ in outcomes),
        "longest wait, s": round(max(longest for *_, longest in outcomes), 3),
    }


def request_times(appliance, count):
    """Median times in milliseconds on a kept-alive connection: of no work, and of a job."""
    with ApplianceSampler(appliance.url, **appliance.arguments()) as client:
        client.upload(circuit())
        sent = circuit()

        def job():
            client.run([(sent, [1.0])], shots=200).result()

        told = {}
        for name, ask in (("request", client.device), ("job", job)):
            times = []
            for _ in range(count):
                begins = time.perf_counter()
                ask()
                times.append(time.perf_counter() - begins)
            told[f"{name}, ms"] = round(1e3 * statistics.median(times), 2)
        return told


def memory(appliance):
    """Resident megabytes of the appliance."""
    return round(appliance.metric("process_resident_memory_bytes") / 1e6, 1)


def jobs(appliance, count):
    """Run many jobs one after the other."""
    sent = circuit()
    with ApplianceSampler(appliance.url, **appliance.arguments(in_flight=8)) as client:
        for _ in range(count // 100):
            client.run([(sent, [1.0])] * 100, shots=200).result()


def main():
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begins = time.perf_counter()
        appliance = RunningAppliance(Path(folder))
        told = {"start, s": round(time.perf_counter() - begins, 2)}
        try:
            told |= request_times(appliance, 200)
            told["memory before, MB"] = memory(appliance)
            jobs(appliance, options.jobs // 2)
            told["memory after half, MB"] = memory(appliance)
            jobs(appliance, options.jobs // 2)
            told[f"memory after {options.jobs} jobs, MB"] = memory(appliance)
            told |= load(appliance, options.clients, options.seconds)
            told["memory after the load, MB"] = memory(appliance)
        finally:
            appliance.stop()
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
