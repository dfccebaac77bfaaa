/*
 * disk.h - the storage that keeps a broker's topics and logs as files of one folder.
 *
 *   DIR/kproducer-broker                    the format's number, the cluster's id
 *   DIR/lock                                held while a broker uses the folder; its process id
 *   DIR/reserved                            producer ids and leader epochs below these bounds may have been given out
 *   DIR/notes                               what else is not to be forgotten: the producer id and epoch of each transactional id
 *   DIR/stopped                             after an end in order only: where each log ended
 *   DIR/topics/TOPIC/topic.properties       id, number of partitions, properties
 *   DIR/topics/TOPIC/PARTITION/OFFSET.log   segments; the bytes are those of Kafka's own
 *   DIR/new, DIR/deleted                    a topic that is being made; what is being removed
 *
 * A segment is reserved on the disk, then mapped, so that a full disk is an error code at the append and never a signal; an append is a
 * memcpy into the page cache, which survives the end of the process, kill -9 included, but not that of the machine. At the end in order
 * everything is flushed. Small files are written beside, flushed and renamed; a topic's folder is renamed into place, and away.
 *
 * A file system that cannot reserve (ZFS, btrfs with copy on write) may still end the process with SIGBUS when it is full; nothing that was
 * acknowledged is lost by that.
 *
 * No descriptor is kept open for a segment: ten thousand partitions cost ten thousand mappings (vm.max_map_count, 65530 as a rule).
 */
#ifndef KP_DEVBROKER_DISK_H
#define KP_DEVBROKER_DISK_H

#include "devbroker/storage.h"

#define KP_DISK_SEGMENT_MIN ((size_t)8 << 10)
#define KP_DISK_SEGMENT_MAX ((size_t)64 << 20)

typedef struct kp_disk_options {
	const char *dir; /* made when it is not there; its parent must be */
	bool is_repairing;
	void (*say)(const char *line, void *opaque); /* NULL: nobody listens */
	void *opaque;
} kp_disk_options;

/*
 * Take the folder: NULL with a line in err when it is in use, holds something else or another format, or cannot be read or written.
 * Nothing in it is changed but the lock. SIGXFSZ should be ignored: then a limit on the size of files is an error code too.
 */
KP_MUST_USE kp_db_storage *kp_disk_open(const kp_disk_options *o, char *err, size_t err_size);
void kp_disk_close(kp_db_storage *s); /* after the broker's end; NULL is fine */

#endif
