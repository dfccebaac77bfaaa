// sarama, the way a user writes a producer: one goroutine writes to the input channel, another counts successes and errors.
package main

import (
	"fmt"
	"os"
	"time"

	"kproducer/bench/peers-go/common"

	"github.com/IBM/sarama"
)

func main() {
	o := common.Parse()
	c := sarama.NewConfig()
	c.Version = sarama.V3_6_0_0
	c.ChannelBufferSize = 2000
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
	c.Producer.MaxMessageBytes = 1000000
	c.Producer.Flush.Frequency = o.Linger
	c.Producer.Flush.Bytes = 1000000
	c.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	common.Check(c.Producer.Compression.UnmarshalText([]byte(o.Codec)))
	if o.Idempotent {
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1 // sarama wants it so
	}
	created := time.Now()
	producer, err := sarama.NewAsyncProducer([]string{o.Servers}, c)
	common.Check(err)

	first, all := make(chan bool), make(chan bool)
	var delivered, failed int64
	go func() {
		successes, errors := producer.Successes(), producer.Errors()
		for delivered+failed < int64(o.Records) {
			select {
			case <-successes:
				delivered++
			case e := <-errors:
				if failed++; failed == 1 {
					fmt.Fprintln(os.Stderr, "sarama: the first failure:", e)
				}
			}
			if delivered+failed == 1 {
				close(first)
			}
		}
		close(all)
	}()
	input := producer.Input()
	// The first record goes before the clock starts: connection, metadata, producer id.
	input <- &sarama.ProducerMessage{Topic: o.Topic, Value: sarama.ByteEncoder(o.Values[0])}
	<-first
	firstTook := time.Since(created)
	begin := time.Now()
	for i, next := 1, 0; i < o.Records; i++ {
		input <- &sarama.ProducerMessage{Topic: o.Topic, Value: sarama.ByteEncoder(o.Values[next])}
		if next++; next == len(o.Values) {
			next = 0
		}
	}
	<-all
	seconds := time.Since(begin).Seconds()
	common.Check(producer.Close())
	common.Outcome{Delivered: delivered, Failed: failed, Seconds: seconds, First: firstTook}.Print("github.com/IBM/sarama")
}
