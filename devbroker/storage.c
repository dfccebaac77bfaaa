/*
 * storage.c - what a storage says. See storage.h.
 */
#include "devbroker/storage.h"

#include <stdarg.h>
#include <stdio.h>

#include "kproducer/error.h"

void kp_db_storage_say(const kp_db_storage *s, const char *format, ...)
{
	char line[KP_DB_FAULT_SIZE];
	va_list args;
	if (!s->say)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	s->say(line, s->opaque);
}

int kp_db_storage_fault(kp_db_storage *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(s->fault, sizeof(s->fault), format, args);
	va_end(args);
	return KP_ERR_KAFKA_STORAGE_ERROR;
}
