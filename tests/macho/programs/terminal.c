/* Terminals: a pseudo terminal and its settings. */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ttycom.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

int openpty(int *, int *, char *, const struct termios *, const struct winsize *);

int main(void)
{
    int master;
    int slave;
    struct termios settings;
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct winsize got;
    CHECK(openpty(&master, &slave, NULL, NULL, &size) == 0 && isatty(slave) && !isatty(open("/dev/null", O_RDONLY)));
    CHECK(errno == ENOTTY && ioctl(slave, TIOCGWINSZ, &got) == 0 && got.ws_row == 24 && got.ws_col == 80);
    CHECK(tcgetattr(slave, &settings) == 0 && settings.c_lflag & ICANON && settings.c_lflag & ECHO);
    CHECK(settings.c_iflag & ICRNL && settings.c_oflag & OPOST && (settings.c_cflag & CSIZE) == CS8);
    CHECK(settings.c_cc[VINTR] == 3 && settings.c_cc[VEOF] == 4 && cfgetospeed(&settings) == 38400);
    settings.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    CHECK(cfsetspeed(&settings, B9600) == 0 && tcsetattr(slave, TCSAFLUSH, &settings) == 0);
    struct termios after;
    CHECK(tcgetattr(slave, &after) == 0 && !(after.c_lflag & (ECHO | ICANON)) && after.c_lflag & ISIG);
    CHECK(after.c_cc[VMIN] == 1 && after.c_cc[VTIME] == 0 && cfgetispeed(&after) == 9600);
    char byte;
    CHECK(write(master, "q", 1) == 1 && read(slave, &byte, 1) == 1 && byte == 'q');
    cfmakeraw(&after);
    CHECK(!(after.c_oflag & OPOST) && tcflush(slave, TCIOFLUSH) == 0);
    CHECK(posix_openpt(O_RDWR | O_NOCTTY) >= 0 && ptsname(master) && strcmp(ttyname(slave), ptsname(master)) == 0);
    puts("ok");
    return 0;
}
