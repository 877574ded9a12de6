#include "shape.h"

#include <ctype.h>
#include <string.h>

bool ox_reads_as_code(const char *text)
{
    static const char *const keywords[] = {"import ", "from ", "raise ", "assert ", "del ", "for ", "while ", "with ",
        "if ", "class ", "def ", "async ", "global ", "return ", "try:", "@"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (strncmp(text, keywords[i], strlen(keywords[i])) == 0) {
            return true;
        }
    }
    return strcmp(text, "pass") == 0 || strpbrk(text, "\n;#") != NULL
        || (strchr(text, '(') != NULL && strchr(text, ')') != NULL);
}

bool ox_reads_as_module(const char *text)
{
    bool start = true; /* of a part */
    for (; *text != '\0'; text++) {
        unsigned char letter = (unsigned char)*text;
        bool word = isalpha(letter) || letter == '_' || letter >= 0x80 || (!start && isdigit(letter));
        if (!word && (start || letter != '.')) {
            return false;
        }
        start = letter == '.';
    }
    return !start;
}

/* Reads one word of options. False when it holds one that neither stands alone nor is followed by a value, or says
 * what is to be run: then `shape` tells. */
static bool read_options(const char *letters, char *const *argv, int *at, struct ox_shape *shape)
{
    for (; *letters != '\0'; letters++) {
        if (strchr("BEIPS", *letters) != NULL) {
            shape->pure = true;
            shape->unsafe &= *letters != 'I' && *letters != 'P';
        } else if (strchr("cmWX", *letters) != NULL) {
            const char *value = letters[1] != '\0' ? letters + 1 : argv[++*at];
            if (value == NULL) {
                return false;
            }
            if (*letters == 'c' || *letters == 'm') {
                shape->meaning = *letters == 'c' ? OX_CODE : OX_MODULE_NAME;
                shape->program = *at;
                shape->value = value;
                return false;
            }
            shape->says_utf8 |= *letters == 'X' && (strcmp(value, "utf8") == 0 || strncmp(value, "utf8=", 5) == 0);
            return true;
        } else if (strchr("bdiOqRsuvx", *letters) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(word, *words) != 0) {
        words++;
    }
    return *words != NULL;
}

struct ox_shape ox_read_shape(int argc, char *const *argv)
{
    static const char *const versions[] = {"-V", "-VV", "--version", NULL};
    static const char *const helps[] = {"-h", "-?", "--help", "--help-all", "--help-env", "--help-xoptions", NULL};
    struct ox_shape shape = {.meaning = OX_NO_PYTHON, .unsafe = true};
    int at = 1;
    for (; at < argc; at++) {
        if (is_one_of(argv[at], versions) ? shape.pure || argc == 2 : shape.pure && is_one_of(argv[at], helps)) {
            shape.meaning = OX_ABOUT;
            return shape;
        }
        if (argv[at][0] != '-' || argv[at][1] == '\0') {
            shape.meaning = argv[at][0] == '-' ? OX_STDIN : OX_FILE_NAME;
            shape.program = at;
            shape.value = argv[at];
            return shape;
        }
        if (strcmp(argv[at], "--check-hash-based-pycs") == 0 && at + 1 < argc) {
            shape.pure = true; /* no application has this one */
            at++;
        } else if (!read_options(argv[at] + 1, argv, &at, &shape)) {
            return shape;
        }
    }
    shape.meaning = OX_OPTIONS;
    return shape;
}
