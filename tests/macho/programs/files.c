/* Files, folders, locks, errors: argv[1] is an empty folder. */
#include <copyfile.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void errors(void)
{
    errno = 0;
    CHECK(open("missing", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(rmdir(".") == -1 && errno == EINVAL);
    CHECK(mkdir("folder", 0755) == 0 && mkdir("folder/inner", 0700) == 0);
    CHECK(rmdir("folder") == -1 && errno == ENOTEMPTY); /* 66, on Linux 39 */
    CHECK(strcmp(strerror(ENOTEMPTY), "Directory not empty") == 0);
    CHECK(strcmp(strerror(EAGAIN), "Resource temporarily unavailable") == 0);
    CHECK(symlink("loop", "loop") == 0 && open("loop", O_RDONLY) == -1 && errno == ELOOP);
    CHECK(open("folder/inner", O_RDONLY | O_NOFOLLOW | O_DIRECTORY) >= 0);
    int saved = errno;
    errno = 0;
    CHECK(errno == 0);
    errno = saved;
    CHECK(errno == ELOOP);
}

static void status(void)
{
    struct stat by_path;
    struct stat by_fd;
    int fd = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && write(fd, "0123456789", 10) == 10);
    CHECK(open("file", O_RDWR | O_CREAT | O_EXCL, 0640) == -1 && errno == EEXIST);
    CHECK(stat("file", &by_path) == 0 && fstat(fd, &by_fd) == 0);
    CHECK(by_path.st_size == 10 && by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev);
    CHECK(S_ISREG(by_path.st_mode) && (by_path.st_mode & 0777) == 0640 && by_path.st_nlink == 1);
    CHECK(by_path.st_uid == getuid() && by_path.st_mtimespec.tv_sec > 1600000000 && by_path.st_flags == 0);
    CHECK(symlink("file", "link") == 0 && lstat("link", &by_path) == 0 && S_ISLNK(by_path.st_mode));
    CHECK(fstatat(AT_FDCWD, "link", &by_path, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(by_path.st_mode));
    struct timespec times[] = {{1000000000, 5}, {0, UTIME_OMIT}};
    CHECK(utimensat(AT_FDCWD, "file", times, 0) == 0 && stat("file", &by_path) == 0);
    CHECK(by_path.st_atimespec.tv_sec == 1000000000 && by_path.st_atimespec.tv_nsec == 5);
    CHECK(by_path.st_mtimespec.tv_sec == by_fd.st_mtimespec.tv_sec);
    struct timeval old[] = {{1, 2}, {3, 4}};
    CHECK(utimes("file", old) == 0 && stat("file", &by_path) == 0 && by_path.st_mtimespec.tv_nsec == 4000);
    int pipes[2];
    CHECK(pipe(pipes) == 0 && fstat(pipes[0], &by_fd) == 0 && S_ISFIFO(by_fd.st_mode) && by_fd.st_nlink == 0);
    char path[MAXPATHLEN];
    CHECK(fcntl(fd, F_GETPATH, path) == 0 && strcmp(strrchr(path, '/'), "/file") == 0);
    CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == O_RDWR && fcntl(fd, F_SETFL, O_APPEND) == 0);
    CHECK((fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_RDWR | O_APPEND));
    CHECK(fcntl(fd, F_FULLFSYNC) == 0 && fcntl(fd, F_NOCACHE, 1) == 0);
    char *memory = mmap(NULL, 10, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED && memcmp(memory, "0123456789", 10) == 0 && munmap(memory, 10) == 0);
    memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, 100 << 24, 0);
    CHECK(memory != MAP_FAILED && memory[8191] == 0);
    memory[5] = 9;
    CHECK(madvise(memory, 8192, MADV_DONTNEED) == 0 && memory[5] == 9 && msync(memory, 8192, MS_SYNC) == 0);
    CHECK(lseek(fd, 0, SEEK_DATA) == 0 && lseek(fd, 0, SEEK_HOLE) == 10);
    char name[32];
    char digits[4];
    CHECK(pipe(pipes) == 0 && snprintf(name, sizeof name, "/dev/fd/%d", fd) > 0 && lseek(fd, 2, SEEK_SET) == 2);
    int again = open(name, O_RDONLY); /* shares the offset */
    CHECK(again > fd && read(again, digits, 4) == 4 && memcmp(digits, "2345", 4) == 0 && lseek(fd, 0, SEEK_CUR) == 6);
    CHECK(snprintf(name, sizeof name, "/dev/fd/%d", pipes[0]) > 0 && open(name, O_WRONLY) == -1 && errno == EACCES);
    close(fd);
}

static void locks(void)
{
    int fd = open("file", O_RDWR);
    struct flock lock = {.l_start = 2, .l_len = 3, .l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK(fcntl(fd, F_SETLK, &lock) == 0);
    pid_t child = fork();
    if (!child) {
        struct flock other = {.l_start = 0, .l_len = 0, .l_type = F_RDLCK, .l_whence = SEEK_SET};
        CHECK(fcntl(fd, F_SETLK, &other) == -1 && (errno == EAGAIN || errno == EACCES));
        CHECK(fcntl(fd, F_GETLK, &other) == 0 && other.l_type == F_WRLCK);
        CHECK(other.l_start == 2 && other.l_len == 3 && other.l_pid == getppid());
        _exit(0);
    }
    int result;
    CHECK(waitpid(child, &result, 0) == child && result == 0);
    lock.l_type = F_UNLCK;
    CHECK(fcntl(fd, F_SETLK, &lock) == 0);
    int other = open("file", O_RDONLY | O_EXLOCK);
    CHECK(other >= 0 && flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    close(other);
    CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
    close(fd);
}

static void folders(void)
{
    int seen = 0;
    DIR *folder = opendir("folder");
    CHECK(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        CHECK(entry->d_type == DT_DIR && entry->d_ino && entry->d_namlen == strlen(entry->d_name));
        seen += strcmp(entry->d_name, "inner") == 0;
    }
    CHECK(seen == 1);
    struct dirent **list;
    CHECK(scandir("folder", &list, NULL, alphasort) == 3 && strcmp(list[0]->d_name, ".") == 0);
    CHECK(strcmp(list[2]->d_name, "inner") == 0 && list[2]->d_type == DT_DIR);
    rewinddir(folder);
    CHECK(readdir(folder) && closedir(folder) == 0);
    int fd = open("folder", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && mkdirat(fd, "more", 0700) == 0 && renameat(fd, "more", fd, "moved") == 0);
    CHECK(unlinkat(fd, "moved", 0) == -1 && (errno == EPERM || errno == EISDIR));
    CHECK(unlinkat(fd, "moved", AT_REMOVEDIR) == 0 && faccessat(fd, "inner", R_OK, AT_EACCESS) == 0);
    CHECK(fdopendir(fd));
}

static void whole_files(void)
{
    struct statfs system;
    struct statvfs volume;
    CHECK(statfs(".", &system) == 0 && system.f_bsize > 0 && system.f_blocks > 0 && *system.f_fstypename);
    CHECK(statvfs(".", &volume) == 0 && volume.f_frsize > 0 && volume.f_namemax > 0);
    CHECK(getfsstat(NULL, 0, MNT_NOWAIT) > 0);
    CHECK(copyfile("file", "copy", NULL, COPYFILE_DATA | COPYFILE_STAT) == 0);
    struct stat copy;
    CHECK(stat("copy", &copy) == 0 && copy.st_size == 10 && (copy.st_mode & 0777) == 0640);
    CHECK(chflags("copy", 0) == 0 && chflags("copy", UF_HIDDEN) == -1 && errno == ENOTSUP);
    CHECK(pathconf(".", _PC_NAME_MAX) > 0 && pathconf(".", _PC_PATH_MAX) == 1024);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2 && chdir(argv[1]) == 0);
    errors();
    status();
    locks();
    folders();
    whole_files();
    puts("ok");
    return 0;
}
