/* Signals: numbers, sets, handlers. A handler of macOS is called with macOS's number, siginfo and context. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "darwin.h"
#include "limits_darwin.h"
#include "system.h"

enum {
    DARWIN_NSIG = 32,
    DARWIN_SA_ONSTACK = 0x1,
    DARWIN_SA_RESTART = 0x2,
    DARWIN_SA_RESETHAND = 0x4,
};

/* SIGEMT and SIGINFO are carried by two signals that only Linux has. */
static const struct {
    int native;
    const char *name, *text;
} signals[DARWIN_NSIG] = {
    [1] = {SIGHUP, "hup", "Hangup"},
    [2] = {SIGINT, "int", "Interrupt"},
    [3] = {SIGQUIT, "quit", "Quit"},
    [4] = {SIGILL, "ill", "Illegal instruction"},
    [5] = {SIGTRAP, "trap", "Trace/BPT trap"},
    [6] = {SIGABRT, "abrt", "Abort trap"},
    [7] = {SIGSTKFLT, "emt", "EMT trap"},
    [8] = {SIGFPE, "fpe", "Floating point exception"},
    [9] = {SIGKILL, "kill", "Killed"},
    [10] = {SIGBUS, "bus", "Bus error"},
    [11] = {SIGSEGV, "segv", "Segmentation fault"},
    [12] = {SIGSYS, "sys", "Bad system call"},
    [13] = {SIGPIPE, "pipe", "Broken pipe"},
    [14] = {SIGALRM, "alrm", "Alarm clock"},
    [15] = {SIGTERM, "term", "Terminated"},
    [16] = {SIGURG, "urg", "Urgent I/O condition"},
    [17] = {SIGSTOP, "stop", "Suspended (signal)"},
    [18] = {SIGTSTP, "tstp", "Suspended"},
    [19] = {SIGCONT, "cont", "Continued"},
    [20] = {SIGCHLD, "chld", "Child exited"},
    [21] = {SIGTTIN, "ttin", "Stopped (tty input)"},
    [22] = {SIGTTOU, "ttou", "Stopped (tty output)"},
    [23] = {SIGIO, "io", "I/O possible"},
    [24] = {SIGXCPU, "xcpu", "Cputime limit exceeded"},
    [25] = {SIGXFSZ, "xfsz", "Filesize limit exceeded"},
    [26] = {SIGVTALRM, "vtalrm", "Virtual timer expired"},
    [27] = {SIGPROF, "prof", "Profiling timer expired"},
    [28] = {SIGWINCH, "winch", "Window size changes"},
    [29] = {SIGPWR, "info", "Information request"},
    [30] = {SIGUSR1, "usr1", "User defined signal 1"},
    [31] = {SIGUSR2, "usr2", "User defined signal 2"},
};

int signal_from(int darwin)
{
    return darwin > 0 && darwin < DARWIN_NSIG ? signals[darwin].native : 0;
}

int signal_to(int native)
{
    for (int i = 1; i < DARWIN_NSIG; i++) {
        if (signals[i].native == native) {
            return i;
        }
    }
    return native;
}

void signal_set_from(uint32_t darwin, sigset_t *native)
{
    sigemptyset(native);
    for (int i = 1; i < DARWIN_NSIG; i++) {
        if (darwin >> (i - 1) & 1) {
            sigaddset(native, signals[i].native);
        }
    }
}

uint32_t signal_set_to(const sigset_t *native)
{
    uint32_t darwin = 0;
    for (int i = 1; i < DARWIN_NSIG; i++) {
        if (sigismember(native, signals[i].native) == 1) {
            darwin |= 1u << (i - 1);
        }
    }
    return darwin;
}

static const struct pair child_codes[] = {
    {1, CLD_EXITED}, {2, CLD_KILLED}, {3, CLD_DUMPED}, {4, CLD_TRAPPED}, {5, CLD_STOPPED}, {6, CLD_CONTINUED},
};

void siginfo_to(const siginfo_t *native, struct darwin_siginfo *darwin)
{
    memset(darwin, 0, sizeof *darwin);
    darwin->signo = signal_to(native->si_signo);
    darwin->error = native->si_errno ? errno_to(native->si_errno) : 0;
    switch (native->si_signo) {
    case 0: /* waitid without a child that changed */
        return;
    case SIGCHLD:
        darwin->code = (int)pair_to(PAIRS(child_codes), native->si_code);
        darwin->pid = native->si_pid;
        darwin->uid = native->si_uid;
        darwin->status = native->si_code == CLD_EXITED ? native->si_status : signal_to(native->si_status);
        return;
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
        if (native->si_code > 0) { /* by the processor, not by kill(2) */
            darwin->code = native->si_code;
            darwin->address = native->si_addr;
            return;
        }
    }
    darwin->code = native->si_code == SI_USER ? 0x10001 : native->si_code == SI_QUEUE ? 0x10002 : 0;
    darwin->pid = native->si_pid;
    darwin->uid = native->si_uid;
}

/* ---- handlers ---- */

struct darwin_registers { /* x86_thread_state64 */
    uint64_t rax, rbx, rcx, rdx, rdi, rsi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags, cs, fs, gs;
};

struct darwin_mcontext {
    uint16_t trapno, cpu;
    uint32_t err;
    uint64_t faultvaddr;
    struct darwin_registers registers;
    uint8_t floating[524];
};
_Static_assert(sizeof(struct darwin_mcontext) == 712, "struct __darwin_mcontext64");

struct darwin_stack {
    void *ss_sp;
    uint64_t ss_size;
    int32_t ss_flags;
};

struct darwin_ucontext {
    int32_t uc_onstack;
    uint32_t uc_sigmask;
    struct darwin_stack uc_stack;
    struct darwin_ucontext *uc_link;
    uint64_t uc_mcsize;
    struct darwin_mcontext *uc_mcontext;
};
_Static_assert(sizeof(struct darwin_ucontext) == 56, "ucontext_t");

typedef void darwin_handler(int number, struct darwin_siginfo *info, struct darwin_ucontext *context);

struct darwin_sigaction {
    darwin_handler *handler; /* 0 and 1 are SIG_DFL and SIG_IGN */
    uint32_t mask;
    int32_t flags;
};
_Static_assert(sizeof(struct darwin_sigaction) == 16, "struct sigaction");

static struct darwin_sigaction handlers[DARWIN_NSIG];

/* Registers are for reading: what a handler changes in them has no effect. */
static void context_to(const ucontext_t *native, struct darwin_ucontext *darwin, struct darwin_mcontext *machine)
{
    const greg_t *r = native->uc_mcontext.gregs;
    *machine = (struct darwin_mcontext){
        .trapno = (uint16_t)r[REG_TRAPNO],
        .err = (uint32_t)r[REG_ERR],
        .faultvaddr = (uint64_t)r[REG_CR2],
        .registers =
            {
                .rax = (uint64_t)r[REG_RAX], .rbx = (uint64_t)r[REG_RBX], .rcx = (uint64_t)r[REG_RCX],
                .rdx = (uint64_t)r[REG_RDX], .rdi = (uint64_t)r[REG_RDI], .rsi = (uint64_t)r[REG_RSI],
                .rbp = (uint64_t)r[REG_RBP], .rsp = (uint64_t)r[REG_RSP], .r8 = (uint64_t)r[REG_R8],
                .r9 = (uint64_t)r[REG_R9],   .r10 = (uint64_t)r[REG_R10], .r11 = (uint64_t)r[REG_R11],
                .r12 = (uint64_t)r[REG_R12], .r13 = (uint64_t)r[REG_R13], .r14 = (uint64_t)r[REG_R14],
                .r15 = (uint64_t)r[REG_R15], .rip = (uint64_t)r[REG_RIP], .rflags = (uint64_t)r[REG_EFL],
            },
    };
    *darwin = (struct darwin_ucontext){
        .uc_sigmask = signal_set_to(&native->uc_sigmask),
        .uc_mcsize = sizeof *machine,
        .uc_mcontext = machine,
    };
}

static void deliver(int native, siginfo_t *info, void *context)
{
    int number = signal_to(native);
    darwin_handler *handler = handlers[number].handler;
    if ((uintptr_t)handler <= 1) {
        return;
    }
    struct darwin_siginfo siginfo;
    struct darwin_ucontext ucontext;
    struct darwin_mcontext mcontext;
    siginfo_to(info, &siginfo);
    context_to(context, &ucontext, &mcontext);
    handler(number, &siginfo, &ucontext);
}

static const struct pair action_flags[] = {
    {DARWIN_SA_ONSTACK, SA_ONSTACK}, {DARWIN_SA_RESTART, SA_RESTART}, {DARWIN_SA_RESETHAND, (int)SA_RESETHAND},
    {0x8, SA_NOCLDSTOP},             {0x10, SA_NODEFER},              {0x20, SA_NOCLDWAIT},
};

static int darwin_sigaction(int number, const struct darwin_sigaction *new, struct darwin_sigaction *old)
{
    struct sigaction before;
    int native = signal_from(number);
    if (!native || (new && (native == SIGKILL || native == SIGSTOP))) {
        return refuse(EINVAL);
    }
    if (sigaction(native, NULL, &before)) {
        return -1;
    }
    struct darwin_sigaction previous = handlers[number];
    if (before.sa_sigaction != deliver) { /* not one of ours: default, or ignored */
        previous = (struct darwin_sigaction){(darwin_handler *)(uintptr_t)before.sa_handler, 0, 0};
    }
    if (new) {
        struct sigaction after = {0};
        signal_set_from(new->mask, &after.sa_mask);
        after.sa_flags = (int)bits_from(PAIRS(action_flags), (uint32_t)new->flags);
        if ((uintptr_t)new->handler <= 1) {
            after.sa_handler = (void (*)(int))(uintptr_t)new->handler;
        } else {
            after.sa_sigaction = deliver;
            after.sa_flags |= SA_SIGINFO;
            handlers[number] = *new; /* before a signal can come */
        }
        if (sigaction(native, &after, NULL)) {
            handlers[number] = previous;
            return -1;
        }
    }
    if (old) {
        *old = previous;
    }
    return 0;
}

static uint32_t interrupting; /* signals of siginterrupt(…, 1) */

static darwin_handler *darwin_signal(int number, darwin_handler *handler)
{
    bool restart = number < 1 || number >= DARWIN_NSIG || !(interrupting >> (number - 1) & 1);
    struct darwin_sigaction new = {handler, 0, restart ? DARWIN_SA_RESTART : 0};
    struct darwin_sigaction old;
    return darwin_sigaction(number, &new, &old) ? (darwin_handler *)(intptr_t)-1 : old.handler;
}

static int darwin_siginterrupt(int number, int flag)
{
    struct darwin_sigaction action;
    if (darwin_sigaction(number, NULL, &action)) {
        return -1;
    }
    uint32_t bit = 1u << (number - 1);
    interrupting = flag ? interrupting | bit : interrupting & ~bit;
    action.flags = flag ? action.flags & ~DARWIN_SA_RESTART : action.flags | DARWIN_SA_RESTART;
    return darwin_sigaction(number, &action, NULL);
}

/* ---- masks ---- */

static int change_mask(int how, const uint32_t *set, uint32_t *old)
{
    static const int hows[] = {-1, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
    sigset_t after;
    sigset_t before;
    if (set && (how < 1 || how > 3)) {
        return EINVAL;
    }
    if (set) {
        signal_set_from(*set, &after);
    }
    int error = pthread_sigmask(set ? hows[how] : SIG_BLOCK, set ? &after : NULL, &before);
    if (!error && old) {
        *old = signal_set_to(&before);
    }
    return error;
}

static int darwin_sigprocmask(int how, const uint32_t *set, uint32_t *old)
{
    int error = change_mask(how, set, old);
    return error ? refuse(error) : 0;
}

static int darwin_pthread_sigmask(int how, const uint32_t *set, uint32_t *old)
{
    return errno_to(change_mask(how, set, old));
}

static int darwin_sigpending(uint32_t *set)
{
    sigset_t native;
    int result = sigpending(&native);
    *set = signal_set_to(&native);
    return result;
}

static int darwin_sigsuspend(const uint32_t *set)
{
    sigset_t native;
    signal_set_from(*set, &native);
    return sigsuspend(&native);
}

static int darwin_sigwait(const uint32_t *set, int *number)
{
    sigset_t native;
    int caught;
    signal_set_from(*set, &native);
    int error = sigwait(&native, &caught);
    if (!error) {
        *number = signal_to(caught);
    }
    return errno_to(error);
}

static int darwin_sigemptyset(uint32_t *set)
{
    *set = 0;
    return 0;
}

static int darwin_sigfillset(uint32_t *set)
{
    *set = UINT32_MAX;
    return 0;
}

static int darwin_sigaddset(uint32_t *set, int number)
{
    if (number < 1 || number > DARWIN_NSIG) {
        return refuse(EINVAL);
    }
    *set |= 1u << (number - 1);
    return 0;
}

static int darwin_sigdelset(uint32_t *set, int number)
{
    if (number < 1 || number > DARWIN_NSIG) {
        return refuse(EINVAL);
    }
    *set &= ~(1u << (number - 1));
    return 0;
}

static int darwin_sigismember(const uint32_t *set, int number)
{
    return number < 1 || number > DARWIN_NSIG ? refuse(EINVAL) : (int)(*set >> (number - 1) & 1);
}

static int darwin_sigaltstack(const struct darwin_stack *new, struct darwin_stack *old)
{
    static const struct pair stack_flags[] = {{0x1, SS_ONSTACK}, {0x4, SS_DISABLE}};
    stack_t after = {0};
    stack_t before;
    if (new) {
        after = (stack_t){new->ss_sp, (int)bits_from(PAIRS(stack_flags), (uint32_t)new->ss_flags), new->ss_size};
    }
    if (sigaltstack(new ? &after : NULL, &before)) {
        return -1;
    }
    if (old) {
        int32_t flags = (int32_t)bits_to(PAIRS(stack_flags), (uint32_t)before.ss_flags);
        *old = (struct darwin_stack){before.ss_sp, before.ss_size, flags};
    }
    return 0;
}

/* ---- sending ---- */

static int darwin_kill(pid_t process, int number)
{
    int native = signal_from(number);
    return number && !native ? refuse(EINVAL) : kill(process, native);
}

static int darwin_killpg(pid_t group, int number)
{
    int native = signal_from(number);
    return number && !native ? refuse(EINVAL) : killpg(group, native);
}

static int darwin_raise(int number)
{
    int native = signal_from(number);
    return native ? raise(native) : refuse(EINVAL);
}

static int darwin_pthread_kill(pthread_t thread, int number)
{
    int native = signal_from(number);
    return number && !native ? errno_to(EINVAL) : errno_to(pthread_kill(thread, native));
}

/* ---- names ---- */

static char *darwin_strsignal(int number)
{
    static __thread char text[64];
    if (signal_from(number)) {
        snprintf(text, sizeof text, "%s: %d", signals[number].text, number);
    } else {
        snprintf(text, sizeof text, "Unknown signal: %d", number);
    }
    return text;
}

static void darwin_psignal(unsigned number, const char *prefix)
{
    fprintf(stderr, "%s%s%s\n", prefix ? prefix : "", prefix && *prefix ? ": " : "", darwin_strsignal((int)number));
}

static const char *darwin_sys_siglist[DARWIN_NSIG];
static const char *darwin_sys_signame[DARWIN_NSIG];

__attribute__((constructor)) static void fill_names(void)
{
    for (int i = 0; i < DARWIN_NSIG; i++) {
        darwin_sys_siglist[i] = i ? signals[i].text : "Signal 0";
        darwin_sys_signame[i] = i ? signals[i].name : "Signal 0";
    }
}

static const struct symbol signals_symbols[] = {
    SHIM(sigaction),  SHIM(signal),     SHIM(siginterrupt), SHIM(sigprocmask), SHIM(pthread_sigmask), SHIM(sigpending),
    SHIM(sigsuspend), SHIM(sigwait),    SHIM(sigemptyset),  SHIM(sigfillset),  SHIM(sigaddset),       SHIM(sigdelset),
    SHIM(sigismember), SHIM(sigaltstack), SHIM(kill),       SHIM(killpg),      SHIM(raise),           SHIM(pthread_kill),
    SHIM(strsignal),  SHIM(psignal),    SHIM(sys_siglist),  SHIM(sys_signame),
};

SYMBOL_TABLE(signals);
