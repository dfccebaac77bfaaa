/*
 * fault_parse.h - what fault_script.c and fault_action.c share.
 */
#ifndef KP_DEVBROKER_FAULT_PARSE_H
#define KP_DEVBROKER_FAULT_PARSE_H

#include "devbroker/fault_script.h"
#include "devbroker/fault_words.h"

/* Each takes what it is for from the words, or reports an error and returns false. */
bool kp_fault_take_action(kp_fault_words *w, int32_t n_nodes, kp_fault_action *a); /* *a is zero; deinit it in any case */
bool kp_fault_take_node(kp_fault_words *w, int32_t n_nodes, int32_t *out);
bool kp_fault_no_memory(kp_fault_words *w);

#endif
