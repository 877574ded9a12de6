/* What clang's __builtin_available() calls, as compiler-rt has it in os_version_check.c: whether the system that runs is at
   least that version. libSystem answers since macOS 10.15, which is older than every floor. */
#include <stdbool.h>
#include <stdint.h>

struct version {
    uint32_t platform;
    uint32_t number;
};

extern bool _availability_version_check(uint32_t count, struct version versions[]);

__attribute__((visibility("hidden"))) int32_t __isPlatformVersionAtLeast(uint32_t platform, uint32_t major, uint32_t minor,
                                                                        uint32_t patch)
{
    struct version wanted = {platform, (major & 0xffff) << 16 | (minor & 0xff) << 8 | (patch & 0xff)};
    return _availability_version_check(1, &wanted);
}
