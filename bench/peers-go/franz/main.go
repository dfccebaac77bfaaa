// franz-go, the way a user writes a producer: one goroutine produces, a promise per record counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
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
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.ProducerBatchMaxBytes(1000000),
		kgo.MaxBufferedRecords(1000000),
		kgo.MaxBufferedBytes(256 << 20),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(1000000, true, true, nil)),
		kgo.ProducerBatchCompression(codec(o.Codec)),
	}
	if !o.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(5))
	}
	client, err := kgo.NewClient(options...)
	common.Check(err)

	var delivered, failed atomic.Int64
	promise := func(_ *kgo.Record, err error) {
		if err == nil {
			delivered.Add(1)
		} else if failed.Add(1) == 1 {
			fmt.Fprintln(os.Stderr, "franz: the first failure:", err)
		}
	}
	ctx := context.Background()
	// The first record goes before the clock starts: connection, metadata, producer id.
	client.Produce(ctx, &kgo.Record{Value: o.Values[0]}, promise)
	common.Check(client.Flush(ctx))
	begin := time.Now()
	for i, next := 1, 0; i < o.Records; i++ {
		client.Produce(ctx, &kgo.Record{Value: o.Values[next]}, promise)
		if next++; next == len(o.Values) {
			next = 0
		}
	}
	common.Check(client.Flush(ctx))
	seconds := time.Since(begin).Seconds()
	client.Close()
	common.Result("github.com/twmb/franz-go", delivered.Load(), failed.Load(), seconds)
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
