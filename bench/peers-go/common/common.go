// Package common is what the Go peers share: their command line, the values, and the line that they print.
package common

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
)

// Options is the command line.
type Options struct {
	Servers, Topic, Codec string
	Records               int
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

// Result prints what came of it, with the version of the library, and ends the program.
func Result(module string, delivered, failed int64, seconds float64) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				version = d.Version
			}
		}
	}
	fmt.Printf("%s %s records=%d failed=%d secs=%.6f\n", filepath.Base(os.Args[0]), version, delivered, failed, seconds)
	if failed > 0 {
		os.Exit(1)
	}
}
