/* marker.h: what an application tells the processes that it starts, in a variable of their environment. */
#ifndef OX_MARKER_H
#define OX_MARKER_H

#include <stdbool.h>
#include <stdint.h>

struct ox_marker {
    uint64_t executable;
    uint64_t depth;   /* how many applications stand above, each started by the one before */
    uint64_t process; /* who wrote it: the same when a process replaces itself by execve */
    uint64_t command; /* which of the commands the application is, or OX_NONE */
    uint64_t script;    /* digest of its sys.argv[0] */
    uint64_t arguments; /* digest of its sys.argv[1:] */
};

/* FNV-1a 64 over the words, each with its NUL. */
uint64_t ox_digest(int count, char *const *words);

/* What the variable says, if this executable wrote it. */
bool ox_marker_read(struct ox_marker *marker);

/* Sets the variable, and in the marker whose it is: this executable's, this process's. */
void ox_marker_write(struct ox_marker *marker);

#endif
