/* What must be ready before code of macOS runs. */
#ifndef MACHO_START_H
#define MACHO_START_H

/* Of each thread: %gs, which inline code of macOS takes thread-specific data from. */
void start_thread_state(void);
/* Once: variables that macOS's C library exports. */
void start_shims(void);

#endif
