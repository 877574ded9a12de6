/* platform.h: what differs from system to system in ways too small for units of their own. Texts are as Python's file
 * system encoding has them: UTF-8 on Windows.
 */
#ifndef OX_PLATFORM_H
#define OX_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef _WIN32
#define OX_SEPARATOR '\\'
#define OX_PATH_LIST ";" /* between the entries of PYTHONPATH */
#define OX_PROGRAM_SUFFIX ".exe"
#define OX_LINK_HINT "\nA copy called like a command runs it: copy %s %.*s.exe\n"
#else
#define OX_SEPARATOR '/'
#define OX_PATH_LIST ":"
#define OX_PROGRAM_SUFFIX ""
#define OX_LINK_HINT "\nA link called like a command runs it: ln -s %s %.*s\n"
#endif

/* The program, after the arguments were made what the launcher works with. */
int ox_main(int argc, char **argv);

/* What has to be done before other threads and processes are there. */
void ox_platform_start(void);

/* A path's last separator, or NULL. */
const char *ox_last_separator(const char *path);

/* Puts the system's separator in place of each '/'. */
void ox_separate(char *path);

/* As memrchr(3). */
const void *ox_find_last(const void *memory, int byte, size_t size);

bool ox_is_directory(const char *path);
bool ox_exists(const char *path);

/* The absolute path without symbolic links, into OX_PATH_MAX bytes; false when nothing is there. */
bool ox_real_path(const char *path, char *resolved);

/* A file to read; NULL when it cannot be opened. No process that is started meanwhile inherits it. */
FILE *ox_open_to_read(const char *path);

/* Writes all of UTF-8 text to standard output, byte for byte where that is no console; false when it cannot take it. */
bool ox_print(const void *text, size_t size);

/* A variable of the environment, for this process and those that it starts. */
void ox_set_variable(const char *name, const char *value);

/* The variable's value, to be freed with ox_free, or NULL. */
char *ox_variable(const char *name);

unsigned long ox_process(void);

/* Whether an ancestor of this process runs this executable. */
bool ox_descends_from_own(void);

/* Ends the process so that whoever waits for it sees that it was interrupted. */
_Noreturn void ox_die_interrupted(void);

#endif
