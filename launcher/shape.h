/* shape.h: what a command line would mean to python. */
#ifndef OX_SHAPE_H
#define OX_SHAPE_H

#include <stdbool.h>

enum ox_meaning {
    OX_NO_PYTHON,   /* python would refuse it, or tells of itself, as an application does with the same option */
    OX_CODE,        /* -c CODE */
    OX_MODULE_NAME, /* -m MODULE */
    OX_FILE_NAME,   /* FILE */
    OX_STDIN,       /* - */
    OX_OPTIONS,     /* nothing to run: standard input, or a prompt */
    OX_ABOUT        /* -V and the like, with nothing else or behind a pure option; -h and the like behind one */
};

struct ox_shape {
    enum ox_meaning meaning;
    int program;       /* index of the word, or of the option's value, that says what is to be run */
    const char *value; /* that word */
    bool pure;         /* one of -B -E -I -P -S was given, which libraries pass and applications hardly have */
    bool unsafe;       /* neither -I nor -P: the script's folder comes first on sys.path */
    bool says_utf8;    /* -X utf8 */
};

/* By the rules of Python/getopt.c. */
struct ox_shape ox_read_shape(int argc, char *const *argv);

/* Whether the value of a -c is code rather than the name of a file, a colour, a configuration. */
bool ox_reads_as_code(const char *text);

/* Whether the value of a -m can be a module's name. */
bool ox_reads_as_module(const char *text);

#endif
