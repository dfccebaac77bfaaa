// Package lines is what the foreign clients' programs have in common: the command line, and records as JSON lines.
package lines

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Header is a header of a record; a nil value is a null one.
type Header struct {
	Key   string
	Value []byte
}

// Record is a line. Bytes are base64; null is null and not empty. Timestamp is in milliseconds since 1970.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp int64
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Options are those of both commands; the ones behind Topic are for write.
type Options struct {
	Brokers    []string
	Topic      string
	Codec      string // none, gzip, snappy, lz4, zstd
	Acks       string // 0, 1, all
	Idempotent bool
}

// Client is one of the libraries under test.
type Client interface {
	// Write sends the records in their order, each to its partition, and returns when all are acknowledged (acks=0: written).
	Write(options Options, records []Record) error
	// Read calls each with all records that the topic's partitions hold now, one partition after the other, in order.
	Read(options Options, each func(Record) error) error
}

// Deadline is when a command that has not ended yet fails.
const Deadline = 50 * time.Second

// Main runs `write`, which takes records from standard input, or `read`, which prints them, and ends the process.
func Main(client Client) {
	if err := run(client, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
}

func run(client Client, args []string) error {
	if len(args) == 0 || (args[0] != "read" && args[0] != "write") {
		return errors.New("usage: read|write -brokers HOST:PORT[,...] -topic TOPIC [-codec C] [-acks A] [-idempotent]")
	}
	var options Options
	var brokers string
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&brokers, "brokers", "", "HOST:PORT[,HOST:PORT...]")
	flags.StringVar(&options.Topic, "topic", "", "the topic")
	flags.StringVar(&options.Codec, "codec", "none", "none, gzip, snappy, lz4 or zstd")
	flags.StringVar(&options.Acks, "acks", "all", "0, 1 or all")
	flags.BoolVar(&options.Idempotent, "idempotent", false, "write with a producer id")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	options.Brokers = strings.Split(brokers, ",")
	time.AfterFunc(Deadline, func() {
		fmt.Fprintf(os.Stderr, "%s: not finished after %v\n", os.Args[0], Deadline)
		os.Exit(1)
	})
	if args[0] == "read" {
		return read(client, options)
	}
	return write(client, options)
}

func write(client Client, options Options) error {
	var records []Record
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var record Record
		if err := in.Decode(&record); err == io.EOF {
			return client.Write(options, records)
		} else if err != nil {
			return err
		}
		records = append(records, record)
	}
}

func read(client Client, options Options) error {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	if err := client.Read(options, func(record Record) error { return encoder.Encode(record) }); err != nil {
		return err
	}
	return out.Flush()
}

// Choose is the entry of table that name names.
func Choose[T any](what, name string, table map[string]T) (T, error) {
	value, ok := table[name]
	if !ok {
		return value, fmt.Errorf("unknown %s %q", what, name)
	}
	return value, nil
}
