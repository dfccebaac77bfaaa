// franz writes and reads records with franz-go.
package main

import (
	"context"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kproducer/tests/foreign/lines"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

type client struct{}

func main() {
	lines.Main(client{})
}

func (client) Write(o lines.Options, records []lines.Record) error {
	codec, err := lines.Choose("codec", o.Codec, codecs)
	if err != nil {
		return err
	}
	wanted, err := lines.Choose("acks", o.Acks, acks)
	if err != nil {
		return err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ProducerBatchCompression(codec),
		kgo.RequiredAcks(wanted),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.AllowAutoTopicCreation(),
	}
	if !o.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	producer, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer producer.Close()
	sent := make([]*kgo.Record, len(records))
	for i, r := range records {
		sent[i] = &kgo.Record{
			Topic:     o.Topic,
			Partition: r.Partition,
			Timestamp: time.UnixMilli(r.Timestamp),
			Key:       r.Key,
			Value:     r.Value,
		}
		for _, h := range r.Headers {
			sent[i].Headers = append(sent[i].Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
	}
	return producer.ProduceSync(context.Background(), sent...).FirstErr()
}

// ends is the end offset of each partition of the topic.
func ends(brokers []string, topic string) (map[int32]int64, error) {
	asker, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return nil, err
	}
	defer asker.Close()
	metadata := kmsg.NewPtrMetadataRequest()
	about := kmsg.NewMetadataRequestTopic()
	about.Topic = &topic
	metadata.Topics = append(metadata.Topics, about)
	known, err := metadata.RequestWith(context.Background(), asker)
	if err != nil {
		return nil, err
	}
	ofTopic := kmsg.NewListOffsetsRequestTopic()
	ofTopic.Topic = topic
	for _, p := range known.Topics[0].Partitions {
		of := kmsg.NewListOffsetsRequestTopicPartition()
		of.Partition, of.Timestamp = p.Partition, -1
		ofTopic.Partitions = append(ofTopic.Partitions, of)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.Topics = append(request.Topics, ofTopic)
	found := map[int32]int64{}
	for _, shard := range asker.RequestSharded(context.Background(), request) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		for _, p := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			found[p.Partition] = p.Offset
		}
	}
	return found, nil
}

func (client) Read(o lines.Options, each func(lines.Record) error) error {
	left, err := ends(o.Brokers, o.Topic)
	if err != nil {
		return err
	}
	from := map[int32]kgo.Offset{}
	for partition, end := range left {
		if end == 0 {
			delete(left, partition)
		} else {
			from[partition] = kgo.NewOffset().At(0)
		}
	}
	reader, err := kgo.NewClient(
		kgo.SeedBrokers(o.Brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.Topic: from}),
		kgo.FetchMaxWait(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer reader.Close()
	var found []lines.Record
	for len(left) > 0 {
		fetched := reader.PollFetches(context.Background())
		if err := fetched.Err(); err != nil {
			return err
		}
		fetched.EachRecord(func(r *kgo.Record) {
			found = append(found, line(r))
			if r.Offset >= left[r.Partition]-1 {
				delete(left, r.Partition)
			}
		})
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].Partition < found[j].Partition })
	for _, r := range found {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

func line(r *kgo.Record) lines.Record {
	record := lines.Record{
		Partition: r.Partition,
		Offset:    r.Offset,
		Timestamp: r.Timestamp.UnixMilli(),
		Key:       r.Key,
		Value:     r.Value,
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, lines.Header{Key: h.Key, Value: h.Value})
	}
	return record
}
