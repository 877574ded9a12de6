/* order.h: an order to run a program, and what must be changed in it before the system gets it. All of this may run
 * in a child of vfork(2): see exec_posix.c. */
#ifndef OX_ORDER_H
#define OX_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handover.h"
#include "vfs.h"

/* What is to be run. */
struct ox_order {
    const char *path; /* NULL: fd */
    int fd;
    uint32_t node; /* the program is this virtual file, or OX_NONE */
    bool script;   /* which is for this executable as Python to run */
    int program;   /* its memory file, or -1 */
    char link[OX_HANDED_SIZE];
    struct ox_lookup lookup; /* path may point into it */
    struct ox_handover words;
};

enum ox_answer { OX_AS_IT_IS, OX_CHANGED, OX_REFUSED };

/* Looks at an order whose path or fd, and words' lists, are given. OX_AS_IT_IS: libc is to be called with what was given.
 * OX_REFUSED: errno says why. */
enum ox_answer ox_order_examine(struct ox_order *order);

/* Of one that is to be changed: the bytes to give to ox_order_prepare (on the stack: at most about a megabyte), which makes
 * it what libc is to be called with. False with errno. */
size_t ox_order_memory(const struct ox_order *order);
bool ox_order_prepare(struct ox_order *order, void *memory);

/* Closes what was opened: the order failed, or another process has it. errno stays. */
void ox_order_give_back(const struct ox_order *order);

/* Does what an order says, as execve(2): it returns only when that fails, -1 with errno. */
int ox_execute(struct ox_order *order);

/* What each system has of its own. Whether the program is this executable, by whatever name: it understands its paths. */
bool ox_order_is_self(const struct ox_order *order);

/* Whether the system could run it: else it is asked to at once, and says why not. */
bool ox_order_can_run(const struct ox_order *order);

/* The path under which the program will find a virtual file (handover.h). */
bool ox_order_name(struct ox_handover *words, uint32_t node, char path[OX_HANDED_SIZE]);

/* Makes a virtual program one that the system can run: order->path. False with errno. */
bool ox_order_take_program(struct ox_order *order);

/* Calls libc's function. */
int ox_order_start(const struct ox_order *order);

/* Where the search path has this program: `found`, or NULL when libc shall search, because nothing is virtual here, or
 * nothing found. */
const char *ox_order_search(
    const char *file, char *const *arguments, char *const *environment, char found[OX_PATH_MAX]);

#endif
