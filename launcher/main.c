/* The launcher: finds its blob, starts the interpreter, runs the application, ends. */
#include <stdio.h>
#include <string.h>

#include "child_python.h"
#include "children.h"
#include "commands.h"
#include "exit.h"
#include "groups.h"
#include "interpreter.h"
#include "licences.h"
#include "locate.h"
#include "platform.h"
#include "run.h"
#include "state.h"

static int verify(void)
{
    if (!ox_intact() || !ox_groups_intact()) {
        ox_damaged("its SHA-256 is not the one it was made with");
    }
    puts("ok");
    return fflush(stdout) == 0 ? 0 : 74; /* EX_IOERR */
}

int ox_main(int argc, char **argv)
{
    const char *wrong = ox_locate(argc > 0 ? argv[0] : "");
    if (wrong == NULL) {
        wrong = ox_groups_start();
    }
    if (wrong != NULL) {
        ox_damaged(wrong);
    }
    if (argc == 2 && strcmp(argv[1], "--oxcross-verify") == 0) {
        return verify();
    }
    if (argc == 2 && strcmp(argv[1], "--oxcross-licenses") == 0) {
        return ox_licences_print();
    }
    ox_platform_start();
    struct ox_start start = ox_recognise(argc, argv);
    struct ox_program program = {0};
    if (start.role == OX_APPLICATION) {
        program = ox_program(start.command, start.argc, start.argv);
    }
    ox_python_start(&start);
    if (start.role != OX_APPLICATION) {
        return ox_child_run(&start);
    }
    ox_exit(ox_run(&program));
}
