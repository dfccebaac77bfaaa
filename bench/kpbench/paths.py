"""Where things are. Everything that the yardstick makes stands in build/bench."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "bench"
BUILD = pathlib.Path(os.environ.get("KP_BUILD", ROOT / "build")).resolve()
OUT = BUILD / "bench"
KPRODUCER = BUILD / "kproducer"
CACHE_HOME = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
CACHE = pathlib.Path(os.environ.get("KP_CACHE") or CACHE_HOME / "kproducer")
KAFKA_JARS = pathlib.Path(os.environ.get("KAFKA_JARS") or CACHE / "kafka-4.3.1")
WHEEL = pathlib.Path(os.environ.get("KP_BENCH_WHEEL") or CACHE / "bench-librdkafka")  # what scripts/setup unpacks of requirements.txt


class BenchError(Exception):
    """The yardstick cannot measure, or a program did not do the work: one line for the user."""
