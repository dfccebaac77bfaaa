/*
 * config_names.h - which property a name means, and what to say about a name that means none.
 */
#ifndef KP_CLIENT_CONFIG_NAMES_H
#define KP_CLIENT_CONFIG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "client/config_table.h"
#include "client/config_value.h"

/* A walk over every name that somebody knows: properties and their aliases first, then the known groups. Start zeroed. */
typedef struct kp_name_walk {
	size_t next_row, next_alias; /* alias 0 is the row's own name */
	size_t next_group;
	const char *words; /* what is left of the group before next_group */
	/* the name it stands at: */
	kp_slice name;
	const kp_property_row *row;  /* NULL when the name is of a group */
	const kp_alias *alias;       /* NULL when the name is the row's own */
	const kp_known_group *group; /* NULL when the name is of a row */
	kp_slice accepted;           /* the value that a group's name may have, or null */
} kp_name_walk;

bool kp_name_next(kp_name_walk *w);
/* Stand at this very name. False when nobody knows it. */
bool kp_name_find(const char *name, kp_name_walk *w);
/* The name nearest to one that nobody knows (Damerau-Levenshtein), or a null slice when none is near. */
kp_slice kp_name_nearest(const char *name);
/*
 * What kp_config_set does with a name that is no property: 0 when the value asks for what happens anyway, else KP_ERR_BAD_CONFIG
 * with the group's reason.
 */
KP_MUST_USE int kp_name_refuse_known(const kp_name_walk *w, const char *value, kp_err_line err);

#endif
