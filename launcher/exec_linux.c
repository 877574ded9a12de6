/* The libc functions that start other programs. A program that is a virtual file runs from its memory file; virtual files
 * among the arguments and in the environment are handed over as memory files that it inherits (handover.h).
 *
 * exec functions are called in children of vfork(2), which share this memory with a parent that waits and with its other
 * threads: so there is no lock here, no allocation but the stack's, and what is mapped is unmapped again. Libc's
 * functions were looked up before (ox_exec_ready).
 *
 * Not covered: a command line inside one word (system(3), sh -c "cat PATH"), execl(3) and its kin. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec.h"
#include "handover.h"
#include "memfile_linux.h"
#include "vfs_linux.h"

OX_INTERPOSE(int, execve, const char *path, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, execv, const char *path, char *const argv[]);
OX_INTERPOSE(int, execvp, const char *file, char *const argv[]);
OX_INTERPOSE(int, execvpe, const char *file, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, fexecve, int fd, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, posix_spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, posix_spawnp, pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

extern char **environ;

#define OX_LARGEST_STACK (1u << 20) /* bytes of the lists, which lie on the stack; the system's own limit is near */

/* What is to be run. */
struct order {
    const char *path; /* NULL: fd */
    int fd;
    uint32_t node; /* the program is this virtual file, or OX_NONE */
    int program;   /* its memory file, or -1 */
    char link[32];
    struct ox_handover words;
};

enum answer { AS_IT_IS, CHANGED, REFUSED };

void ox_exec_ready(void)
{
    static const enum ox_real_name names[] = {OX_REAL_execve, OX_REAL_execvpe, OX_REAL_fexecve, OX_REAL_posix_spawn,
        OX_REAL_posix_spawnp};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        ox_real(names[i]);
    }
}

/* Whether the program is this executable, by whatever name: it understands its paths. Also true where there is no /proc:
 * then nothing can be handed over. */
static bool is_self(const struct order *order)
{
    struct stat program;
    struct stat own;
    const char *path = order->path != NULL ? order->path : "";
    int at = order->path != NULL ? AT_FDCWD : order->fd;
    if (syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", &own, 0) != 0) {
        return true;
    }
    return syscall(SYS_newfstatat, at, path, &program, AT_EMPTY_PATH) == 0 && program.st_dev == own.st_dev
        && program.st_ino == own.st_ino;
}

/* Whether the system could run it: else it is asked to at once, and says why not. */
static bool can_run(const struct order *order)
{
    return order->path == NULL || syscall(SYS_faccessat, AT_FDCWD, order->path, X_OK) == 0;
}

/* Looks at the program, if it is a virtual one; errno when it cannot be run. */
static enum answer examine_program(struct order *order)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&order->path, &lookup)) {
        return AS_IT_IS;
    }
    if (lookup.place == OX_SELF) {
        order->words.size = 0;
        return AS_IT_IS;
    }
    if (lookup.place == OX_MISSING) {
        errno = lookup.error;
        return REFUSED;
    }
    const struct ox_node *row = &ox.blob.nodes[lookup.node];
    if (row->kind != OX_FILE || (row->flags & OX_EXECUTABLE) == 0) {
        errno = EACCES;
        return REFUSED;
    }
    order->node = lookup.node;
    return CHANGED;
}

/* Whether something must be changed before the system gets the order. */
static enum answer examine(struct order *order)
{
    order->node = OX_NONE;
    order->program = -1;
    ox_handover_measure(&order->words);
    int error = errno;
    const char *given = order->path;
    enum answer answer = order->path == NULL ? AS_IT_IS : examine_program(order);
    if (answer == AS_IT_IS && order->words.size != 0 && can_run(order) && !is_self(order)) {
        answer = CHANGED;
    }
    if (answer != REFUSED) {
        errno = error;
    }
    if (answer == AS_IT_IS) {
        order->path = given;
    } else if (order->words.size > OX_LARGEST_STACK) {
        errno = E2BIG;
        return REFUSED;
    }
    return answer;
}

static bool prepare(struct order *order, void *memory)
{
    if (order->words.size != 0 && !ox_handover_write(&order->words, memory, ox_memfile_inherit)) {
        return false;
    }
    if (order->node != OX_NONE) {
        order->program = ox_memfile_program(order->node, order->link);
        order->path = order->link;
    }
    return order->node == OX_NONE || order->program >= 0;
}

/* Closes what was opened: the order failed, or another process has it. */
static void give_back(const struct order *order)
{
    int error = errno;
    for (size_t i = 0; i < order->words.opened; i++) {
        close(order->words.descriptors[i]);
    }
    if (order->program >= 0) {
        close(order->program);
    }
    errno = error;
}

static int execute(struct order *order)
{
    void *memory = __builtin_alloca(order->words.size + 1);
    if (prepare(order, memory)) {
        if (order->path != NULL) {
            OX_REAL(execve)(order->path, order->words.arguments, order->words.environment);
        } else {
            OX_REAL(fexecve)(order->fd, order->words.arguments, order->words.environment);
        }
    }
    give_back(order);
    return -1;
}

int ox_execve(const char *path, char *const argv[], char *const envp[])
{
    struct order order = {.path = path, .words = {.arguments = argv, .environment = envp}};
    switch (path == NULL ? AS_IT_IS : examine(&order)) {
    case CHANGED:
        return execute(&order);
    case REFUSED:
        return -1;
    case AS_IT_IS:
        break;
    }
    return OX_REAL(execve)(path, argv, envp);
}

int ox_execv(const char *path, char *const argv[])
{
    return ox_execve(path, argv, environ);
}

int ox_fexecve(int fd, char *const argv[], char *const envp[])
{
    struct order order = {.fd = fd, .words = {.arguments = argv, .environment = envp}};
    switch (examine(&order)) {
    case CHANGED:
        return execute(&order);
    case REFUSED:
        return -1;
    case AS_IT_IS:
        break;
    }
    return OX_REAL(fexecve)(fd, argv, envp);
}

/* Where the search path has this program: found[], or NULL when libc shall search, because nothing is virtual here, or
 * nothing found. */
static const char *search(const char *file, const struct ox_handover *words, char found[OX_PATH_MAX])
{
    const char *folder = getenv("PATH");
    size_t name = strlen(file);
    bool ours = words->size != 0;
    if (folder == NULL || name == 0 || name >= OX_PATH_MAX) {
        return NULL;
    }
    for (;; folder++) {
        size_t size = strcspn(folder, ":");
        if (size != 0 && size < OX_PATH_MAX - 1 - name) {
            memcpy(found, folder, size);
            found[size] = '/';
            memcpy(found + size + 1, file, name + 1);
            struct order order = {.path = found, .node = OX_NONE};
            if (examine_program(&order) == CHANGED) {
                return found;
            }
            if (ours && ox_vfs_outside(found) && can_run(&order)) {
                return found;
            }
        }
        folder += size;
        if (*folder == '\0') {
            return NULL;
        }
    }
}

int ox_execvpe(const char *file, char *const argv[], char *const envp[])
{
    char found[OX_PATH_MAX];
    struct ox_handover words = {.arguments = argv, .environment = envp};
    if (strchr(file, '/') != NULL) {
        return ox_execve(file, argv, envp);
    }
    ox_handover_measure(&words);
    const char *path = search(file, &words, found);
    return path != NULL ? ox_execve(path, argv, envp) : OX_REAL(execvpe)(file, argv, envp);
}

int ox_execvp(const char *file, char *const argv[])
{
    return ox_execvpe(file, argv, environ);
}

/* The result is an error number. Another thread that forks in this moment lets its child inherit the files, too. */
int ox_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    struct order order = {.path = path, .words = {.arguments = argv, .environment = envp}};
    int before = errno;
    int error;
    switch (examine(&order)) {
    case CHANGED: {
        void *memory = __builtin_alloca(order.words.size + 1);
        error = prepare(&order, memory) ? OX_REAL(posix_spawn)(pid, order.path, actions, attributes,
                    order.words.arguments, order.words.environment)
                                        : errno;
        give_back(&order);
        break;
    }
    case REFUSED:
        error = errno;
        break;
    default:
        error = OX_REAL(posix_spawn)(pid, path, actions, attributes, argv, envp);
    }
    errno = before;
    return error;
}

int ox_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    char found[OX_PATH_MAX];
    struct ox_handover words = {.arguments = argv, .environment = envp};
    if (strchr(file, '/') != NULL) {
        return ox_posix_spawn(pid, file, actions, attributes, argv, envp);
    }
    ox_handover_measure(&words);
    const char *path = search(file, &words, found);
    return path != NULL ? ox_posix_spawn(pid, path, actions, attributes, argv, envp)
                        : OX_REAL(posix_spawnp)(pid, file, actions, attributes, argv, envp);
}
