// franz-go, the way a user writes a producer: one goroutine produces, a promise per record counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"kproducer/bench/peers-go/common"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	o := common.Parse()
	options := []kgo.Opt{
		kgo.SeedBrokers(o.Servers),
		kgo.DefaultProduceTopic(o.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(o.Linger),
		kgo.ProducerBatchMaxBytes(1000000),
		kgo.MaxBufferedRecords(1000000),
		kgo.MaxBufferedBytes(256 << 20),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(1000000, true, true, nil)),
		kgo.ProducerBatchCompression(codec(o.Codec)),
	}
	if !o.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(5))
	}
	created := time.Now()
	client, err := kgo.NewClient(options...)
	common.Check(err)

	ctx := context.Background()
	// The first record goes before the clock starts: connection, metadata, producer id.
	client.Produce(ctx, &kgo.Record{Value: o.Values[0]}, report)
	common.Check(client.Flush(ctx))
	firstTook := time.Since(created)
	begin := time.Now()
	if o.Rate > 0 {
		sendAtRate(ctx, client, o)
	} else {
		sendAll(ctx, client, o)
	}
	common.Check(client.Flush(ctx))
	seconds := time.Since(begin).Seconds()
	client.Close()
	common.Outcome{
		Delivered: delivered.Load(), Failed: failed.Load(), Seconds: seconds, First: firstTook, Latencies: latencies,
	}.Print("github.com/twmb/franz-go")
}

var (
	delivered, failed atomic.Int64
	latencies         []time.Duration // of the one goroutine that calls promises
)

func report(_ *kgo.Record, err error) {
	if err == nil {
		delivered.Add(1)
	} else if failed.Add(1) == 1 {
		fmt.Fprintln(os.Stderr, "franz: the first failure:", err)
	}
}

func sendAll(ctx context.Context, client *kgo.Client, o common.Options) {
	for i, next := 1, 0; i < o.Records; i++ {
		client.Produce(ctx, &kgo.Record{Value: o.Values[next]}, report)
		if next++; next == len(o.Values) {
			next = 0
		}
	}
}

// When late, what is due goes in one burst, each timed from when it was due. Go's own timers are as coarse as a millisecond.
func sendAtRate(ctx context.Context, client *kgo.Client, o common.Options) {
	runtime.LockOSThread()
	latencies = make([]time.Duration, 0, o.Records)
	begin := time.Now()
	from := begin.Add(time.Second)
	for i := 1; i < o.Records; i++ {
		due := begin.Add(time.Duration(float64(i) * 1e9 / float64(o.Rate)))
		for left := time.Until(due); left > 0; left = time.Until(due) {
			ts := syscall.NsecToTimespec(left.Nanoseconds())
			syscall.Nanosleep(&ts, nil)
		}
		client.Produce(ctx, &kgo.Record{Value: o.Values[i%len(o.Values)]}, func(r *kgo.Record, err error) {
			report(r, err)
			if !due.Before(from) {
				latencies = append(latencies, time.Since(due))
			}
		})
	}
}

func codec(name string) kgo.CompressionCodec {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	c, ok := codecs[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "franz: no codec %q\n", name)
		flag.Usage()
		os.Exit(2)
	}
	return c
}
