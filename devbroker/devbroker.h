/*
 * devbroker.h - the development broker as the command sees it: options, run, stop. Plain C, nothing of src/.
 *
 * For development and tests only: no security, no replication, logs in memory, in one folder, or none.
 */
#ifndef KP_DEVBROKER_DEVBROKER_H
#define KP_DEVBROKER_DEVBROKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KP_DEVBROKER_NODES_MAX 1000
#define KP_DEVBROKER_PARTITIONS_MAX 10000

typedef struct kp_devbroker_options {
	const char *host;            /* address to listen on, "127.0.0.1"; a name is resolved; also what clients are told */
	const char *advertised_host; /* what clients are told instead; NULL: host ("localhost" for a wildcard address) */
	uint16_t port;               /* node i listens on port + i - 1; 0: free ports */
	int32_t n_nodes;
	int32_t default_partitions;
	int auto_create; /* 0 or 1: create topics on first use */
	int32_t max_message_bytes;
	int transaction_version; /* 0 to 2: the finalized level of transaction.version; clients use KIP-890 from 2 on */
	size_t log_bytes_max;    /* memory of all logs; the oldest batches are dropped past it */
	int is_discarding;       /* 0 or 1: check and count batches, keep none; the records inside are not looked at */
	uint64_t seed;           /* of topic ids, producer ids and faults by chance; 0: from the system */
	const char *
		dir; /* keep topics and logs there, and go on with what is there; log_bytes_max does not count then. NULL: memory */
	int repair_dir; /* 0 or 1: cut logs that are damaged, and keep what is cut beside them, instead of refusing the folder */
	/* What clients may take together; past it those longest unused are closed. 0: 512 MiB, 512 MiB, by open files, 10 minutes. */
	size_t frame_bytes_max, answer_bytes_max, connections_max;
	int64_t connections_max_idle_ms;
	/* For the operator: a bound was met (at most once a minute of a kind), a disk is full, a log was repaired. Or NULL. */
	void (*say)(const char *line, void *opaque);
	/* A fault fired or had no effect, at most once a second of a rule. Or NULL. */
	void (*say_fault)(const char *line, void *opaque);
	void *say_opaque;
	const char *fault_script; /* docs/fault-script.md; NULL: none. Times count from kp_devbroker_new */
	const char *control_path; /* a Unix socket for commands about faults, mode 0600; NULL: none */
} kp_devbroker_options;

/* 127.0.0.1:9092, one node, one partition, auto-creation, 1048588 bytes a batch, transaction.version 2, 1 GiB. */
void kp_devbroker_options_init(kp_devbroker_options *o);

typedef struct kp_devbroker kp_devbroker;

/* Can `host` be reached from this machine alone? 1 also when it has no address, as kp_devbroker_new will say. The look-up may block. */
int kp_devbroker_is_loopback(const char *host);

/*
 * The mistakes in a fault script, for a cluster of n_nodes: each is told as "line 3, column 12: expected ...". Returns how many were
 * told; 0: kp_devbroker_new takes it.
 */
int kp_devbroker_check_faults(const char *script, int32_t n_nodes, void (*on_mistake)(const char *text, void *opaque),
                              void *opaque);

/*
 * Take the folder, bind all ports. NULL with one line in err when it fails: "cannot listen on 127.0.0.1:9092: address already in use".
 * Clients may connect from here on; they are served by kp_devbroker_run.
 */
kp_devbroker *kp_devbroker_new(const kp_devbroker_options *o, char *err, size_t err_size);
/* Port of a node (1..n). Valid after _new. */
uint16_t kp_devbroker_port(const kp_devbroker *b, int32_t node);
/* Serve until kp_devbroker_stop; blocks. Returns 0. Call it once. */
int kp_devbroker_run(kp_devbroker *b);
/* Any thread, and async-signal-safe: a signal handler may call it. Before _run it makes _run return at once. */
void kp_devbroker_stop(kp_devbroker *b);
void kp_devbroker_free(kp_devbroker *b); /* after _run returned, or instead of it */

typedef struct kp_devbroker_stats {
	uint64_t n_connections;                  /* accepted since the start */
	uint64_t n_requests, n_records, n_bytes; /* records and batch bytes appended */
} kp_devbroker_stats;
/* After _run returned, or on its thread. */
void kp_devbroker_get_stats(const kp_devbroker *b, kp_devbroker_stats *out);

/* After _run returned: each rule of the fault script that fired, as "fault 3 fired 52 times: on produce ...". */
void kp_devbroker_tell_faults(const kp_devbroker *b, void (*tell)(const char *line, void *opaque), void *opaque);

#ifdef __cplusplus
}
#endif

#endif
