/* Signals: numbers, handlers, masks, jumps, and what wait tells of a child. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile int caught, from;
static volatile void *address;
static jmp_buf jump;
static sigjmp_buf signal_jump;

static void simple(int number)
{
    errno = ENOTEMPTY;
    caught = number;
}

static void detailed(int number, siginfo_t *info, void *context)
{
    caught = number;
    from = info->si_pid;
    CHECK(info->si_signo == number && ((ucontext_t *)context)->uc_mcontext->__ss.__rip);
}

static void fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    caught = number;
    address = info->si_addr;
    siglongjmp(signal_jump, 1);
}

static void handlers(void)
{
    struct sigaction action = {.sa_handler = simple, .sa_flags = SA_RESTART};
    struct sigaction old;
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK(old.sa_handler == simple && old.sa_mask == 1u << (SIGUSR2 - 1) && old.sa_flags == SA_RESTART);
    CHECK(kill(getpid(), SIGUSR1) == 0 && caught == SIGUSR1 && SIGUSR1 == 30);
    CHECK(signal(SIGCHLD, simple) == SIG_DFL && raise(SIGCHLD) == 0 && caught == 20);
    CHECK(signal(SIGCHLD, SIG_DFL) == simple && signal(SIGINFO, simple) == SIG_DFL);
    CHECK(raise(SIGINFO) == 0 && caught == 29);
    action.sa_sigaction = detailed;
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGBUS, &action, NULL) == 0 && kill(getpid(), SIGBUS) == 0 && caught == 10 && from == getpid());
    CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL && sigaction(40, NULL, NULL) == -1);
    CHECK(strcmp(strsignal(SIGTERM), "Terminated: 15") == 0);
}

static void masks(void)
{
    sigset_t set;
    sigset_t old;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0 && !sigismember(&old, SIGUSR1));
    caught = 0;
    CHECK(raise(SIGUSR1) == 0 && caught == 0 && sigpending(&old) == 0 && sigismember(&old, SIGUSR1));
    CHECK(sigwait(&set, &number) == 0 && number == SIGUSR1 && caught == 0);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &old) == 0 && old == set);
    if (!setjmp(jump)) { /* with the mask */
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        longjmp(jump, 5);
    }
    CHECK(sigprocmask(SIG_SETMASK, NULL, &old) == 0 && old == set);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    volatile int kept = 1;
    int result = _setjmp(jump);
    if (!result) {
        kept = 2;
        _longjmp(jump, 0);
    }
    CHECK(result == 1 && kept == 2);
}

static void faults(void)
{
    static char stack[SIGSTKSZ];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    stack_t now;
    CHECK(sigaltstack(&alternate, NULL) == 0 && sigaltstack(NULL, &now) == 0 && now.ss_size == sizeof stack);
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0);
    if (!sigsetjmp(signal_jump, 1)) {
        page[9] = 1;
    }
    CHECK(caught == SIGSEGV && address == page + 9);
}

static void timers(void)
{
    struct itimerval timer = {.it_value = {0, 2000}};
    struct timeval filled;
    memset(&filled, 0xff, sizeof filled); /* the four bytes behind tv_usec mean nothing */
    filled.tv_sec = 0;
    filled.tv_usec = 2000;
    timer.it_value = filled;
    CHECK(signal(SIGALRM, simple) == SIG_DFL && siginterrupt(SIGALRM, 1) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    while (caught != SIGALRM) {
        usleep(500);
    }
}

static int end_of(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        act();
        _exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void nothing(void)
{
}

static void by_signal(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGUSR2, SIG_DFL);
    raise(SIGUSR2);
}

static void children(void)
{
    int status = end_of(nothing);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = end_of(by_signal);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    pid_t child = fork();
    if (!child) {
        raise(SIGSTOP);
        _exit(0);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(kill(child, SIGCONT) == 0 && waitpid(child, &status, WCONTINUED) == child);
    if (WIFCONTINUED(status)) {
        CHECK(waitpid(child, &status, 0) == child);
    }
    CHECK(WIFEXITED(status));
    siginfo_t info;
    child = fork();
    if (!child) {
        _exit(9);
    }
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == child && info.si_signo == SIGCHLD && info.si_code == CLD_EXITED);
    struct rusage usage;
    CHECK(wait4(child, &status, 0, &usage) == child && WEXITSTATUS(status) == 9);
    CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
}

int main(void)
{
    handlers();
    masks();
    faults();
    timers();
    children();
    puts("ok");
    return 0;
}
