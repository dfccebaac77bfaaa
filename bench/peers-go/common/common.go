// Package common is what the Go peers share: their command line, the values, and the line that they print.
package common

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"
)

// Options is the command line.
type Options struct {
	Servers, Topic, Codec string
	Records, Rate         int // Rate: records/s, 0 as fast as possible
	Linger                time.Duration
	Idempotent            bool
	Values                [][]byte // the lines of the payload file
}

// Parse reads the command line and the payload file, and ends the program when they are wrong.
func Parse() Options {
	var o Options
	flag.StringVar(&o.Servers, "b", "127.0.0.1:9092", "bootstrap server")
	flag.StringVar(&o.Topic, "t", "bench", "topic")
	flag.IntVar(&o.Records, "n", 1000000, "records")
	flag.StringVar(&o.Codec, "c", "none", "codec")
	flag.BoolVar(&o.Idempotent, "i", false, "idempotent")
	flag.IntVar(&o.Rate, "rate", 0, "records/s, and the time from when a record was due to its report; the first second is left out")
	flag.DurationVar(&o.Linger, "linger", 5*time.Millisecond, "linger")
	file := flag.String("f", "", "payload file: values are its lines in rotation")
	flag.Parse()
	text, err := os.ReadFile(*file)
	Check(err)
	o.Values = bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return o
}

// Check ends the program on an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// Outcome is what came of it.
type Outcome struct {
	Delivered, Failed int64
	Seconds           float64
	First             time.Duration   // from creating the producer to the first report
	Latencies         []time.Duration // with a rate
}

// Print prints it, with the version of the library, and ends the program when something failed.
func (r Outcome) Print(module string) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				version = d.Version
			}
		}
	}
	fmt.Printf("%s %s records=%d failed=%d secs=%.6f first_ms=%.3f\n", filepath.Base(os.Args[0]), version, r.Delivered, r.Failed, r.Seconds,
		float64(r.First.Nanoseconds())/1e6)
	if len(r.Latencies) > 0 {
		printLatencies(r.Latencies)
	}
	if r.Failed > 0 {
		os.Exit(1)
	}
}

func printLatencies(l []time.Duration) {
	slices.Sort(l)
	var sum time.Duration
	for _, d := range l {
		sum += d
	}
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	at := func(q float64) float64 { return us(l[min(len(l)-1, int(q*float64(len(l))+.5))]) }
	fmt.Printf("latency_us n=%d mean=%.1f p50=%.1f p90=%.1f p99=%.1f p99.9=%.1f max=%.1f\n", len(l), us(sum)/float64(len(l)), at(.5), at(.9),
		at(.99), at(.999), at(1))
}
