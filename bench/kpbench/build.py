"""Building what is measured. A C program is compiled again when a source is newer; Go and Java do that by themselves, or in a moment."""

import os
import pathlib
import subprocess

from .paths import BUILD, KAFKA_JARS, KPRODUCER, OUT, ROOT, SOURCE, WHEEL, BenchError

C_FLAGS = ["-std=gnu11", "-Wall", "-Wextra"]
FAST = ["-O3", "-march=native", "-flto"]  # only where it is built
C_PROGRAMS = {
    "timed": (["timed.c"], ["-O2"], []),
    "sink": (["sink/*.c"], FAST, []),
    "limit": (["limit.c"], FAST, []),
    "rdk_bench": (["rdk_bench.c"], ["-O2"], ["-lrdkafka", "-lpthread"]),
    "rdk_transactions": (["rdk_transactions.c"], ["-O2"], ["-lrdkafka"]),
    "micro_record": (["micro_record.c"], ["-O2", f"-I{ROOT / 'src'}", f"-I{ROOT / 'include'}"],
                     [BUILD / "libkp_record.a", BUILD / "libkp_base.a", "-lisal", "-ldeflate", "-lzstd", "-llz4", "-lsnappy"]),
    "probe": (["probe/*.c"], ["-O2", f"-I{ROOT / 'src'}", f"-I{ROOT / 'include'}"],
              [BUILD / "libkproducer.a", "-luv", "-lcares", "-lisal", "-ldeflate", "-lzstd", "-llz4", "-lsnappy", "-lpthread"]),
}


def command(argv, what):
    try:
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, cwd=SOURCE)
    except OSError as e:
        raise BenchError(f"{what}: {e}; scripts/setup --bench installs what is missing") from e
    if done.returncode:
        raise BenchError(f"{what} failed; scripts/setup --bench installs what may be missing:\n{done.stdout}{done.stderr}")


def c_program(name):
    patterns, flags, libraries = C_PROGRAMS[name]
    sources = [f for p in patterns for f in sorted(SOURCE.glob(p))]
    made = OUT / name
    archives = [a for a in libraries if isinstance(a, pathlib.Path)]
    for a in archives:
        if not a.exists():
            raise BenchError(f"no {a}: run scripts/build release")
    newest = max(f.stat().st_mtime for f in [*SOURCE.glob("*.[ch]"), *SOURCE.glob("*/*.[ch]"), SOURCE / "kpbench" / "build.py", *archives])
    if not made.exists() or made.stat().st_mtime < newest:
        command(["cc", *C_FLAGS, *flags, "-o", made, *sources, *libraries], f"compiling bench/{name}")
    return made


def newest_librdkafka():
    """A folder where the wheel's library has the name that rdk_bench looks for. Only the name in the file differs, not the interface."""
    found = sorted(WHEEL.glob("confluent_kafka.libs/librdkafka-*.so.1"))
    if len(found) != 1:
        raise BenchError(f"no librdkafka in {WHEEL}: run scripts/setup --bench-quick")
    folder = OUT / "librdkafka-newest"
    folder.mkdir(exist_ok=True)
    link = folder / "librdkafka.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(found[0])
    return folder


def java_client():
    if not list(KAFKA_JARS.glob("kafka-clients-*.jar")):
        raise BenchError(f"no Kafka client in {KAFKA_JARS}: run scripts/setup --bench")
    command(["javac", "-cp", f"{KAFKA_JARS}/*", "-d", OUT / "java", *sorted((SOURCE / "peers-java").glob("*.java"))], "javac")


def go_peer(name):
    go = os.environ.get("KP_GO") or "go"
    command([go, "build", "-C", SOURCE / "peers-go", "-buildvcs=false", "-o", OUT / name, f"./{name}"], f"go build of {name}")


def build(names):
    """Builds these: programs of C_PROGRAMS, librdkafka-newest, java, franz, sarama; kproducer is built by CMake."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(names):
        if name in C_PROGRAMS:
            c_program(name)
        elif name == "librdkafka-newest":
            newest_librdkafka()
        elif name == "java":
            java_client()
        elif name == "kproducer":
            if not KPRODUCER.exists():
                raise BenchError(f"no {KPRODUCER}: run scripts/build release kproducer-command")
        else:
            go_peer(name)
