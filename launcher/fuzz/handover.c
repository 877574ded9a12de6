/* Fuzzes the words that are rewritten for other programs (handover.c). Texts: arguments and environment, a word a line. */
#include <limits.h>

#include "handover.h"
#include "input.h"

#define LONGEST 64

/* Splits the text into words of its own copy each, as execve(2) takes them. */
static void split(char *text, char *list[LONGEST + 1])
{
    size_t count = 0;
    for (char *word = strtok(text, "\n"); word != NULL && count < LONGEST; word = strtok(NULL, "\n")) {
        size_t size = strlen(word) + 1;
        list[count] = calloc(1, size + OX_SPARE);
        if (list[count] == NULL) {
            break;
        }
        memcpy(list[count++], word, size);
    }
    list[count] = NULL;
}

static int calls;

/* Descriptors of every length; some files cannot be opened. */
static int open_node(uint32_t node)
{
    calls++;
    return node % 16 == 15 ? -1 : (int)((uint64_t)node * 2654435761u % INT_MAX);
}

static bool name_node(struct ox_handover *handover, uint32_t node, char path[OX_HANDED_SIZE])
{
    return ox_handover_inherit(handover, node, path, open_node);
}

static void compare(char *const *before, char *const *after, size_t *replaced)
{
    size_t i = 0;
    for (; before[i] != NULL; i++) {
        if (after[i] != before[i]) {
            ++*replaced;
            if (strstr(after[i], "/proc/self/fd/") == NULL) {
                abort();
            }
        }
    }
    if (after[i] != NULL) {
        abort();
    }
}

static void rewrite(char *const *arguments, char *const *environment)
{
    struct ox_handover handover = {.arguments = arguments, .environment = environment};
    ox_handover_measure(&handover);
    if (handover.size == 0) {
        return;
    }
    size_t replaced = 0;
    void *memory = malloc(handover.size); /* of exactly that size: the sanitizer sees each byte written behind it */
    calls = 0;
    if (memory != NULL && ox_handover_write(&handover, memory, name_node)) {
        compare(arguments, handover.arguments, &replaced);
        compare(environment, handover.environment, &replaced);
        if (replaced != handover.count || handover.opened > handover.count || (int)handover.opened != calls) {
            abort();
        }
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;
    char *lists[OX_FUZZ_TEXTS][LONGEST + 1];
    if (take(data, size, &input)) {
        for (unsigned i = 0; i < OX_FUZZ_TEXTS; i++) {
            split(input.texts[i], lists[i]);
        }
        rewrite(lists[0], lists[1]);
        for (unsigned i = 0; i < OX_FUZZ_TEXTS; i++) {
            for (char **word = lists[i]; *word != NULL; word++) {
                free(*word);
            }
        }
    }
    give_back(&input);
    return 0;
}
