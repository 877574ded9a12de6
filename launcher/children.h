/* children.h: what a process that this executable started is to be: the application again, or a Python.
 *
 * sys.executable is the executable itself, so Python's libraries start it where they want an interpreter. Arguments
 * alone cannot tell: an application may have a -c or -m of its own. So three things must come together.
 *
 * 1. The process descends from this very executable: a variable in its environment says so, or, where that was cleared,
 *    the file that one of its ancestors runs. (Or else: the first argument is a .py file whose first line is "#!" and this
 *    executable. Such a script was written for it, for another user's processes perhaps.)
 * 2. It was started by the name that sys.executable has, and not as users call a program: by a bare word, a link, a
 *    relative path. So a user's command line is never taken for Python's, in a terminal that the application opened
 *    neither.
 * 3. The arguments are ones that python takes:
 *
 *      --multiprocessing-fork name=number …   multiprocessing's spawned children (worker.h)
 *      [options] -c CODE …                    with one of -B -E -I -P -S among the options, or CODE that reads as code
 *      [options] -m MODULE …
 *      [options] FILE …                       a Python file by its name (.py .pyw .pyc .pyz), a folder with __main__.py,
 *                                             a file whose first line names python or this executable, or, with one
 *                                             of these options, any file
 *      [options] - …                          with one of these options, or nothing behind it
 *      options                                with one of these: the program comes from standard input
 *      -V, -VV, --version                     alone; with one of these options also -h, --help …
 *
 *    where options are Python's -b -d -i -O -q -R -s -u -v -W -x -X and those five.
 *
 * Even then it is the application that runs when the arguments are those that the parent has in sys.argv[1:]
 * (os.execv(sys.executable, …) as reloaders do it), and when FILE is the parent's sys.argv[0], this executable, or the
 * file of one of its commands ([sys.executable, *sys.argv]): then what comes behind it are the arguments. All others
 * are the application's too.
 */
#ifndef OX_CHILDREN_H
#define OX_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "shape.h"
#include "worker.h"

enum ox_role {
    OX_APPLICATION,
    OX_PYTHON, /* argv is a command line of python */
    OX_WORKER  /* argv is that of a child of multiprocessing */
};

struct ox_start {
    enum ox_role role;
    int argc; /* the application: sys.argv */
    char **argv;
    int given_count; /* as the process was started: sys.orig_argv */
    char **given;
    uint32_t command;      /* OX_APPLICATION: see ox_program */
    struct ox_shape shape; /* OX_PYTHON: what argv says */
    const char *library;   /* OX_WORKER: whose child it is */
    const char *script;    /* OX_PYTHON: the real path of the Python file that is to be run, or NULL */
};

/* Tells what to be, and marks the environment for the children to come. Ends the process with status 70 when the
 * application keeps starting itself, each time from within the last. */
struct ox_start ox_recognise(int argc, char **argv);

#endif
