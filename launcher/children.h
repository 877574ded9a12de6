/* children.h: what a process that this executable started is to be: the application again, or a Python.
 *
 * sys.executable is the executable itself, so Python's libraries start it where they want an interpreter. Arguments
 * alone cannot tell: an application may have a -c or -m of its own. So two things must come together.
 *
 * 1. The process is a child of this very executable: a variable in its environment says so, or, where that was cleared,
 *    the file that its parent runs. A user's command line is never taken for Python's.
 * 2. The arguments have a shape that libraries give them:
 *
 *      --multiprocessing-fork name=number …   multiprocessing's spawned children
 *      [options] -c CODE …                    with one of -B -E -I -P -S among the options, or CODE that reads as code
 *      [options] -m MODULE …                  with one of these options, or MODULE embedded
 *      [options] FILE …                       a .py file below this executable, or, with one of these, any .py file, or
 *                                             any file that starts with "#!" and the path of this executable
 *      [options] -                            with one of these options
 *
 *    where options are Python's -b -d -O -q -s -u -v -W -x -X and those five. CPython's own libraries always pass at
 *    least -B here, because sys.dont_write_bytecode is set.
 *
 * Even then it is the application that runs when the arguments are those that the parent was started with
 * (os.execv(sys.executable, …) as reloaders do it), and when FILE is this executable ([sys.executable, *sys.argv]): then
 * what comes behind it are the arguments. All others are the application's too.
 */
#ifndef OX_CHILDREN_H
#define OX_CHILDREN_H

#include <stdbool.h>

enum ox_role {
    OX_APPLICATION,
    OX_PYTHON, /* argv is a command line of python */
    OX_WORKER  /* argv is that of a child of multiprocessing */
};

struct ox_start {
    enum ox_role role;
    int argc;
    char **argv;
    const char *script; /* OX_PYTHON: a file below this executable that is to be run, or NULL */
    bool says_utf8;     /* OX_PYTHON: there is an -X utf8 */
};

/* Tells what to be, and marks the environment for the children to come. Ends the process with status 70 when the
 * application keeps starting itself, each time from within the last. */
struct ox_start ox_recognise(int argc, char **argv);

#endif
