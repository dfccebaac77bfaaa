/*
 * disk_test.c - see disk_test.h.
 */
#include "disk_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void run(const char *format, const char *a, const char *b)
{
	char command[2 * DISK_PATH_SIZE];
	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(0, system(command));
}

static void say(const char *line, void *opaque)
{
	disk_test *d = opaque;
	size_t len = strlen(d->said);
	snprintf(d->said + len, sizeof(d->said) - len, "%s\n", line);
}

disk_test *disk_test_new(void)
{
	disk_test *d = test_calloc(1, sizeof(*d));
	/* In memory where that is possible: what is flushed there waits for nobody else's disk. */
	bool has_shm = access("/dev/shm", W_OK) == 0;
	snprintf(d->dir, sizeof(d->dir), "%s/kp-disk-XXXXXX", has_shm ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(d->dir));
	kp_db_options_init(&d->options);
	d->options.wall_ms_at_zero = WALL_MS;
	return d;
}

disk_test *disk_test_with_topic(int32_t n_partitions)
{
	disk_test *d = disk_test_new();
	disk_start(d);
	assert_int_equal(0, kp_db_create_topic(d->t->db, "t", n_partitions, 1));
	return d;
}

void disk_test_free(disk_test *d)
{
	disk_end(d);
	run("rm -rf '%s' '%s.copy'", d->dir, d->dir);
	test_free(d);
}

bool disk_try(disk_test *d, char err[KP_DB_FAULT_SIZE])
{
	kp_disk_options o = {d->dir, d->is_repairing, say, d};
	*err = 0;
	d->storage = kp_disk_open(&o, err, KP_DB_FAULT_SIZE);
	if (!d->storage)
		return false;
	if (d->segment_max)
		d->storage->segment_max = d->segment_max;
	d->options.storage = d->storage;
	kp_db *db = kp_db_new(&d->options);
	if (!db) {
		snprintf(err, KP_DB_FAULT_SIZE, "%s", d->storage->fault);
		kp_disk_close(d->storage);
		d->storage = NULL;
		return false;
	}
	d->t = test_calloc(1, sizeof(*d->t));
	kp_arena_init(&d->t->arena, 0);
	d->t->options = d->options;
	d->t->db = db;
	return true;
}

void disk_start(disk_test *d)
{
	char err[KP_DB_FAULT_SIZE];
	if (!disk_try(d, err))
		fail_msg("%s", err);
}

void disk_end(disk_test *d)
{
	if (!d->t)
		return;
	db_test_free(d->t);
	kp_disk_close(d->storage);
	d->t = NULL;
	d->storage = NULL;
}

void disk_kill(disk_test *d)
{
	run("cp -a '%s' '%s.copy'", d->dir, d->dir);
	disk_end(d);
	run("rm -rf '%s'", d->dir, "");
	run("mv '%s.copy' '%s'", d->dir, d->dir);
}

void disk_refuses(disk_test *d, const char *words)
{
	char err[KP_DB_FAULT_SIZE];
	assert_false(disk_try(d, err));
	if (!strstr(err, words) || strchr(err, '\n'))
		fail_msg("'%s' does not say '%s'", err, words);
}

int16_t disk_produce(disk_test *d, int32_t n, size_t value_size)
{
	return db_produce(d->t, 0, db_make_batch(d->t, &(db_batch){.n = n, .value_size = value_size})).code;
}

kp_db_partition_info disk_info(const disk_test *d, const char *topic, int32_t partition)
{
	kp_db_partition_info info;
	assert_int_equal(0, kp_db_partition_get(d->t->db, topic, partition, &info));
	return info;
}

const char *disk_path(const disk_test *d, const char *format, ...)
{
	static char path[DISK_PATH_SIZE];
	int n = snprintf(path, sizeof(path), "%s/", d->dir);
	va_list args;
	va_start(args, format);
	vsnprintf(path + n, sizeof(path) - (size_t)n, format, args);
	va_end(args);
	return path;
}

kp_slice disk_read(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(0, fstat(fileno(f), &st));
	uint8_t *bytes = test_malloc((size_t)st.st_size + 1);
	assert_int_equal(st.st_size, fread(bytes, 1, (size_t)st.st_size + 1, f));
	bytes[st.st_size] = 0;
	fclose(f);
	return kp_slice_of(bytes, (size_t)st.st_size);
}

void disk_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(len, fwrite(bytes, 1, len, f));
	assert_int_equal(0, fclose(f));
}

void disk_limit_files(uint64_t bytes)
{
	struct rlimit limit;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &limit));
	limit.rlim_cur = bytes;
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &limit));
}

bool disk_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
