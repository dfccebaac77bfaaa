/*
 * complete.h - what may stand next on a command line, for the completion of a shell (kproducer.bash). Made from the tables of commands
 * and options; topics are asked of the cluster when the line says where that is.
 */
#ifndef KP_CLI_COMPLETE_H
#define KP_CLI_COMPLETE_H

#define CLI_COMPLETE "__complete"

/*
 * `kproducer __complete WORD...`: the words behind "kproducer", the last of them being typed, perhaps empty. Prints the whole words
 * that it may become, a line each. Lines that begin with ':' tell the shell how to go on: ":files" and ":dirs" to complete names of
 * files, ":nospace" that the word does not end there.
 */
int cli_complete(int n, char **words);

#endif
