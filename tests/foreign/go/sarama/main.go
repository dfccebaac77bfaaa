// sarama writes and reads records with sarama.
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"kproducer/tests/foreign/lines"
)

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var acks = map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll}

type client struct{}

func main() {
	lines.Main(client{})
}

// bytes is what sarama sends as null when it is nil.
func bytes(b []byte) sarama.Encoder {
	if b == nil {
		return nil
	}
	return sarama.ByteEncoder(b)
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	return c
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
	c := config()
	c.Producer.Compression = codec
	c.Producer.RequiredAcks = wanted
	c.Producer.Idempotent = o.Idempotent
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Return.Successes = true
	c.Net.MaxOpenRequests = 1 // what sarama wants for idempotence, and for order without it
	producer, err := sarama.NewSyncProducer(o.Brokers, c)
	if err != nil {
		return err
	}
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		messages[i] = &sarama.ProducerMessage{
			Topic:     o.Topic,
			Partition: r.Partition,
			Timestamp: time.UnixMilli(r.Timestamp),
			Key:       bytes(r.Key),
			Value:     bytes(r.Value),
		}
		for _, h := range r.Headers {
			messages[i].Headers = append(messages[i].Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
		}
	}
	if err := producer.SendMessages(messages); err != nil {
		producer.Close()
		var failed sarama.ProducerErrors
		if errors.As(err, &failed) {
			return fmt.Errorf("%d records failed, the first: %w", len(failed), failed[0].Err)
		}
		return err
	}
	return producer.Close()
}

func (client) Read(o lines.Options, each func(lines.Record) error) error {
	asker, err := sarama.NewClient(o.Brokers, config())
	if err != nil {
		return err
	}
	defer asker.Close()
	reader, err := sarama.NewConsumerFromClient(asker)
	if err != nil {
		return err
	}
	defer reader.Close()
	partitions, err := asker.Partitions(o.Topic)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		end, err := asker.GetOffset(o.Topic, partition, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if err := readPartition(reader, o.Topic, partition, end, each); err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
	}
	return nil
}

func readPartition(reader sarama.Consumer, topic string, partition int32, end int64, each func(lines.Record) error) error {
	if end == 0 {
		return nil
	}
	from, err := reader.ConsumePartition(topic, partition, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer from.Close()
	for m := range from.Messages() {
		if err := each(line(m)); err != nil || m.Offset >= end-1 {
			return err
		}
	}
	return fmt.Errorf("ended before offset %d", end)
}

func line(m *sarama.ConsumerMessage) lines.Record {
	record := lines.Record{
		Partition: m.Partition,
		Offset:    m.Offset,
		Timestamp: m.Timestamp.UnixMilli(),
		Key:       m.Key,
		Value:     m.Value,
	}
	for _, h := range m.Headers {
		record.Headers = append(record.Headers, lines.Header{Key: string(h.Key), Value: h.Value})
	}
	return record
}
