/* posix_spawn(3), as exec_posix.c has the exec functions; and its action "open this file", where a virtual one is opened
 * here and now, and duplicated in the child. */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <unistd.h>

#include "memfile.h"
#include "memory.h"
#include "order.h"
#include "vfs_libc.h"

OX_INTERPOSE(int, posix_spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
OX_INTERPOSE(int, posix_spawnp, pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

OX_INTERPOSE(int, posix_spawn_file_actions_addopen, posix_spawn_file_actions_t *actions, int fd, const char *path,
    int flags, mode_t mode);
OX_INTERPOSE(int, posix_spawn_file_actions_destroy, posix_spawn_file_actions_t *actions);

#define OX_FIRST_OPENED 100 /* no number that an action would name */

/* What to close when the actions are destroyed; ox.spawn_files. */
struct ox_spawn_file {
    const posix_spawn_file_actions_t *actions;
    int fd;
    struct ox_spawn_file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int open_now(uint32_t node)
{
    int fd = ox_memfile_open(node, O_CLOEXEC);
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, OX_FIRST_OPENED);
    if (moved >= 0) {
        close(fd);
    }
    return moved >= 0 ? moved : fd;
}

int ox_posix_spawn_file_actions_addopen(
    posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode)
{
    struct ox_lookup lookup;
    if (!ox_lookup(&path, &lookup) || lookup.place != OX_VIRTUAL || (flags & O_ACCMODE) != O_RDONLY
        || ox.blob.nodes[lookup.node].kind != OX_FILE) {
        return OX_REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
    }
    struct ox_spawn_file *opened = ox_alloc(sizeof *opened);
    if (opened == NULL) {
        return ENOMEM;
    }
    *opened = (struct ox_spawn_file){.actions = actions, .fd = open_now(lookup.node)};
    int error = opened->fd < 0 ? errno : posix_spawn_file_actions_adddup2(actions, opened->fd, fd);
    if (error != 0) {
        if (opened->fd >= 0) {
            close(opened->fd);
        }
        ox_free(opened);
        return error;
    }
    pthread_mutex_lock(&lock);
    opened->next = ox.spawn_files;
    ox.spawn_files = opened;
    pthread_mutex_unlock(&lock);
    return 0;
}

int ox_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    pthread_mutex_lock(&lock);
    for (struct ox_spawn_file **at = &ox.spawn_files; *at != NULL;) {
        struct ox_spawn_file *opened = *at;
        if (opened->actions == actions) {
            *at = opened->next;
            close(opened->fd);
            ox_free(opened);
        } else {
            at = &opened->next;
        }
    }
    pthread_mutex_unlock(&lock);
    return OX_REAL(posix_spawn_file_actions_destroy)(actions);
}

/* The result is an error number. Another thread that forks in this moment lets its child inherit the files, too. */
int ox_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    struct ox_order order = {.path = path, .words = {.arguments = argv, .environment = envp}};
    int before = errno;
    int error;
    switch (ox_order_examine(&order)) {
    case OX_CHANGED: {
        void *memory = __builtin_alloca(ox_order_memory(&order));
        error = ox_order_prepare(&order, memory) ? OX_REAL(posix_spawn)(pid, order.path, actions, attributes,
                    order.words.arguments, order.words.environment)
                                        : errno;
        ox_order_give_back(&order);
        break;
    }
    case OX_REFUSED:
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
    if (strchr(file, '/') != NULL) {
        return ox_posix_spawn(pid, file, actions, attributes, argv, envp);
    }
    const char *path = ox_order_search(file, argv, envp, found);
    return path != NULL ? ox_posix_spawn(pid, path, actions, attributes, argv, envp)
                        : OX_REAL(posix_spawnp)(pid, file, actions, attributes, argv, envp);
}
