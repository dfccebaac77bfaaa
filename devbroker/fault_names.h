/*
 * fault_names.h - APIs and error codes by name or number, as fault scripts write them.
 */
#ifndef KP_DEVBROKER_FAULT_NAMES_H
#define KP_DEVBROKER_FAULT_NAMES_H

#include "devbroker/fault_words.h"

/* The API of the current word, which stays; false after an error that says what there is. */
bool kp_fault_api_of(kp_fault_words *w, int16_t *key);
kp_slice kp_fault_api_name(int16_t key); /* "InitProducerId" */
/* The error code of the current word, by name or number; false after an error. */
bool kp_fault_error_of(kp_fault_words *w, int16_t *code);

#endif
