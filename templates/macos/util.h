/* libutil's functions, which libSystem has; the open headers lack this one. */
#pragma once
#include <sys/ioctl.h>
#include <termios.h>

int forkpty(int *controller, char *name, struct termios *settings, struct winsize *size);
int login_tty(int descriptor);
int openpty(int *controller, int *terminal, char *name, struct termios *settings, struct winsize *size);
