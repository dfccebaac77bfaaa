#!/bin/sh
# Writes records/ and partitioner/ anew. Needs librdkafka.so.1, a JDK and the jars of a Kafka distribution: generate.sh /opt/kafka/libs
set -eu
jars=$1
here=$(cd "$(dirname "$0")" && pwd)
classes=$(mktemp -d)
trap 'rm -r "$classes"' EXIT
python3 "$here/rdkafka_batches.py" "$here/records"
javac -cp "$jars/*" -d "$classes" "$here"/java/*.java
java -cp "$classes:$jars/*" GoldenBatches "$here/records"
java -cp "$classes:$jars/*" GoldenPartitions "$here/partitioner/murmur2.txt"
