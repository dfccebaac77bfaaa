/*
 * disk_test.h - a development broker that keeps its logs in a folder of the test's own: started, ended in order or all of a sudden.
 */
#ifndef KP_TESTS_DISK_TEST_H
#define KP_TESTS_DISK_TEST_H

#include "db_test.h"
#include "devbroker/disk.h"

#define DISK_PATH_SIZE 600

typedef struct disk_test {
	char dir[200];         /* made by disk_test_new, removed by disk_test_free */
	char said[8192];       /* the lines so far */
	kp_db_options options; /* of the next start */
	bool is_repairing;
	size_t segment_max; /* 0: as always */
	kp_db_storage *storage;
	db_test *t; /* NULL: no broker runs */
} disk_test;

disk_test *disk_test_new(void);
disk_test *disk_test_with_topic(int32_t n_partitions); /* a broker runs, with topic "t" */
void disk_test_free(disk_test *d);                     /* ends the broker if one runs */

/* Start a broker. False: it refuses, and says why in `err`. */
bool disk_try(disk_test *d, char err[KP_DB_FAULT_SIZE]);
void disk_start(disk_test *d); /* it must start */
void disk_end(disk_test *d);   /* in order */
/* The folder as kill -9 would leave it now: the broker ends, and what it does then is undone. */
void disk_kill(disk_test *d);
/* It must refuse, with this in its line. */
void disk_refuses(disk_test *d, const char *words);

/* One batch of n records to partition 0 of "t"; its answer's code. */
int16_t disk_produce(disk_test *d, int32_t n, size_t value_size);
kp_db_partition_info disk_info(const disk_test *d, const char *topic, int32_t partition);

/* A file of the folder. */
const char *disk_path(const disk_test *d, const char *format, ...) KP_PRINTF(2, 3); /* until the next call */
#define DISK_SEGMENT "topics/t/0/%020d.log"
kp_slice disk_read(const char *path); /* with a zero byte behind; test_free its ptr */
void disk_write(const char *path, const void *bytes, size_t len);
bool disk_exists(const char *path);
#define DISK_NO_LIMIT UINT64_MAX
void disk_limit_files(uint64_t bytes); /* no file of this process grows past it: as a full disk */

#endif
