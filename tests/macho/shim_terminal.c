/* Terminals: another struct termios, other flags, speeds that are plain numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <utmp.h>

#include "darwin.h"
#include "system.h"

_Static_assert(sizeof(struct darwin_termios) == 72, "struct termios");

static const struct pair input_flags[] = {
    {0x1, IGNBRK},  {0x2, BRKINT},  {0x4, IGNPAR},    {0x8, PARMRK},   {0x10, INPCK},  {0x20, ISTRIP},   {0x40, INLCR},
    {0x80, IGNCR},  {0x100, ICRNL}, {0x200, IXON},    {0x400, IXOFF},  {0x800, IXANY}, {0x2000, IMAXBEL}, {0x4000, IUTF8},
};

static const struct pair output_flags[] = {
    {0x1, OPOST}, {0x2, ONLCR}, {0x4, XTABS}, {0x10, OCRNL}, {0x20, ONOCR}, {0x40, ONLRET}, {0x80, OFILL}, {0x20000, OFDEL},
};

static const struct pair control_flags[] = {
    {0x400, CSTOPB}, {0x800, CREAD}, {0x1000, PARENB}, {0x2000, PARODD}, {0x4000, HUPCL}, {0x8000, CLOCAL},
    {0x30000, CRTSCTS},
};

static const struct pair character_sizes[] = {{0x0, CS5}, {0x100, CS6}, {0x200, CS7}, {0x300, CS8}};

static const struct pair local_flags[] = {
    {0x1, ECHOKE},   {0x2, ECHOE},    {0x4, ECHOK},   {0x8, ECHO},     {0x10, ECHONL},     {0x20, ECHOPRT},
    {0x40, ECHOCTL}, {0x80, ISIG},    {0x100, ICANON}, {0x400, IEXTEN}, {0x800, EXTPROC},  {0x400000, TOSTOP},
    {0x800000, FLUSHO}, {0x20000000, PENDIN}, {0x80000000, NOFLSH},
};

static const struct pair characters[] = {
    {0, VEOF},   {1, VEOL},   {2, VEOL2}, {3, VERASE}, {4, VWERASE}, {5, VKILL},     {6, VREPRINT}, {8, VINTR},
    {9, VQUIT},  {10, VSUSP}, {12, VSTART}, {13, VSTOP}, {14, VLNEXT}, {15, VDISCARD}, {16, VMIN},    {17, VTIME},
};

static const struct pair speeds[] = {
    {0, B0},         {50, B50},       {75, B75},       {110, B110},     {134, B134},     {150, B150},   {200, B200},
    {300, B300},     {600, B600},     {1200, B1200},   {1800, B1800},   {2400, B2400},   {4800, B4800}, {9600, B9600},
    {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400},
};

static void termios_to(const struct termios *native, struct darwin_termios *darwin)
{
    memset(darwin, 0, sizeof *darwin);
    darwin->c_iflag = bits_to(PAIRS(input_flags), native->c_iflag);
    darwin->c_oflag = bits_to(PAIRS(output_flags), native->c_oflag);
    darwin->c_cflag = bits_to(PAIRS(control_flags), native->c_cflag & ~(tcflag_t)CSIZE) |
                      (uint64_t)pair_to(PAIRS(character_sizes), native->c_cflag & CSIZE);
    darwin->c_lflag = bits_to(PAIRS(local_flags), native->c_lflag);
    memset(darwin->c_cc, 0xff, sizeof darwin->c_cc); /* _POSIX_VDISABLE */
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        uint8_t value = native->c_cc[characters[i].native];
        bool plain = characters[i].native == VMIN || characters[i].native == VTIME;
        darwin->c_cc[characters[i].darwin] = value || plain ? value : 0xff;
    }
    darwin->c_ispeed = (uint64_t)pair_to(PAIRS(speeds), cfgetispeed(native));
    darwin->c_ospeed = (uint64_t)pair_to(PAIRS(speeds), cfgetospeed(native));
}

static int termios_from(const struct darwin_termios *darwin, struct termios *native)
{
    memset(native, 0, sizeof *native);
    native->c_iflag = (tcflag_t)bits_from(PAIRS(input_flags), darwin->c_iflag);
    native->c_oflag = (tcflag_t)bits_from(PAIRS(output_flags), darwin->c_oflag);
    native->c_cflag = (tcflag_t)bits_from(PAIRS(control_flags), darwin->c_cflag & ~(uint64_t)0x300) |
                      (tcflag_t)pair_from(PAIRS(character_sizes), darwin->c_cflag & 0x300);
    native->c_lflag = (tcflag_t)bits_from(PAIRS(local_flags), darwin->c_lflag);
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        uint8_t value = darwin->c_cc[characters[i].darwin];
        native->c_cc[characters[i].native] = value == 0xff ? 0 : value;
    }
    int64_t input = pair_from(PAIRS(speeds), (int64_t)darwin->c_ispeed);
    int64_t output = pair_from(PAIRS(speeds), (int64_t)darwin->c_ospeed);
    if (input < 0 || output < 0) {
        return refuse(EINVAL);
    }
    cfsetispeed(native, (speed_t)input);
    cfsetospeed(native, (speed_t)output);
    return 0;
}

int terminal_get(int fd, struct darwin_termios *darwin)
{
    struct termios native;
    int result = tcgetattr(fd, &native);
    if (result == 0) {
        termios_to(&native, darwin);
    }
    return result;
}

int terminal_set(int fd, int action, const struct darwin_termios *darwin)
{
    struct termios native;
    int plain = action & ~0x10; /* TCSASOFT */
    if (plain < TCSANOW || plain > TCSAFLUSH) {
        return refuse(EINVAL);
    }
    return termios_from(darwin, &native) ? -1 : tcsetattr(fd, plain, &native);
}

static int darwin_tcgetattr(int fd, struct darwin_termios *attributes)
{
    return terminal_get(fd, attributes);
}

static int darwin_tcsetattr(int fd, int action, const struct darwin_termios *attributes)
{
    return terminal_set(fd, action, attributes);
}

/* TCIFLUSH 1, TCOFLUSH 2, TCIOFLUSH 3: one less on Linux, and so are tcflow's. */
static int darwin_tcflush(int fd, int which)
{
    return which < 1 || which > 3 ? refuse(EINVAL) : tcflush(fd, which - 1);
}

static int darwin_tcflow(int fd, int action)
{
    return action < 1 || action > 4 ? refuse(EINVAL) : tcflow(fd, action - 1);
}

static uint64_t darwin_cfgetispeed(const struct darwin_termios *attributes)
{
    return attributes->c_ispeed;
}

static uint64_t darwin_cfgetospeed(const struct darwin_termios *attributes)
{
    return attributes->c_ospeed;
}

static int darwin_cfsetispeed(struct darwin_termios *attributes, uint64_t speed)
{
    attributes->c_ispeed = speed;
    return 0;
}

static int darwin_cfsetospeed(struct darwin_termios *attributes, uint64_t speed)
{
    attributes->c_ospeed = speed;
    return 0;
}

static int darwin_cfsetspeed(struct darwin_termios *attributes, uint64_t speed)
{
    attributes->c_ispeed = attributes->c_ospeed = speed;
    return 0;
}

static void darwin_cfmakeraw(struct darwin_termios *attributes)
{
    struct termios native;
    if (termios_from(attributes, &native) == 0) {
        cfmakeraw(&native);
        termios_to(&native, attributes);
    }
}

static int darwin_openpty(int *master, int *slave, char *name, const struct darwin_termios *attributes,
                          const struct winsize *size)
{
    struct termios native;
    if (attributes && termios_from(attributes, &native)) {
        return -1;
    }
    return openpty(master, slave, name, attributes ? &native : NULL, size);
}

static pid_t darwin_forkpty(int *master, char *name, const struct darwin_termios *attributes, const struct winsize *size)
{
    struct termios native;
    if (attributes && termios_from(attributes, &native)) {
        return -1;
    }
    return forkpty(master, name, attributes ? &native : NULL, size);
}

static int darwin_login_tty(int fd)
{
    return login_tty(fd);
}

static char *darwin_ctermid_r(char *buffer)
{
    return buffer ? ctermid(buffer) : NULL;
}

static const struct symbol terminal_symbols[] = {
    SHIM(tcgetattr),   SHIM(tcsetattr),   SHIM(tcflush),    SHIM(tcflow),    SHIM(cfgetispeed),
    SHIM(cfgetospeed), SHIM(cfsetispeed), SHIM(cfsetospeed), SHIM(cfsetspeed), SHIM(cfmakeraw),
    SHIM(openpty),     SHIM(forkpty),     SHIM(login_tty),  SHIM(ctermid_r),
};

SYMBOL_TABLE(terminal);
