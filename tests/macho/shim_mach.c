/* The little of Mach that ordinary programs call: time, the task, memory. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "darwin.h"
#include "system.h"

enum {
    KERN_SUCCESS = 0,
    KERN_NO_SPACE = 3,
    KERN_INVALID_ARGUMENT = 4,
    KERN_FAILURE = 5,
    TASK_PORT = 0x103,
    HOST_PORT = 0x203,
    MACH_TASK_BASIC_INFO = 20,
};

static uint32_t darwin_mach_task_self_ = TASK_PORT;
static uint64_t darwin_vm_page_size = 4096;
static uint64_t darwin_vm_page_mask = 4095;
static int darwin_vm_page_shift = 12;
static uint64_t darwin_vm_kernel_page_size = 4096;

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* On Intel one tick is one nanosecond. */
static uint64_t darwin_mach_absolute_time(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

static uint64_t darwin_mach_continuous_time(void)
{
    return nanoseconds(CLOCK_BOOTTIME);
}

static int darwin_mach_timebase_info(uint32_t fraction[2])
{
    fraction[0] = fraction[1] = 1;
    return KERN_SUCCESS;
}

static int darwin_mach_wait_until(uint64_t deadline)
{
    struct timespec until = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return KERN_SUCCESS;
}

static uint32_t darwin_mach_host_self(void)
{
    return HOST_PORT;
}

static uint32_t darwin_mach_thread_self(void)
{
    return (uint32_t)gettid();
}

static int darwin_mach_port_deallocate(uint32_t task, uint32_t name)
{
    (void)task;
    (void)name;
    return KERN_SUCCESS;
}

/* Other processes' tasks are for debuggers with the right to them. */
static int darwin_task_for_pid(uint32_t task, int pid, uint32_t *port)
{
    (void)task;
    (void)pid;
    *port = 0;
    return KERN_FAILURE;
}

static int darwin_task_threads(uint32_t task, uint32_t **threads, uint32_t *count)
{
    (void)task;
    *threads = NULL;
    *count = 0;
    return KERN_FAILURE;
}

struct task_basic_info {
    uint64_t virtual_size, resident_size, resident_size_max;
    int32_t user_time[2], system_time[2], policy, suspend_count;
};
_Static_assert(sizeof(struct task_basic_info) == 48, "struct mach_task_basic_info");

static int darwin_task_info(uint32_t task, uint32_t flavor, void *out, uint32_t *count)
{
    struct task_basic_info info = {0};
    struct rusage usage;
    unsigned long pages = 0;
    unsigned long resident = 0;
    (void)task;
    if (flavor != MACH_TASK_BASIC_INFO || *count * 4 < sizeof info) {
        return KERN_INVALID_ARGUMENT;
    }
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lu %lu", &pages, &resident) != 2) {
            pages = resident = 0;
        }
        fclose(file);
    }
    getrusage(RUSAGE_SELF, &usage);
    info.virtual_size = pages * 4096;
    info.resident_size = resident * 4096;
    info.resident_size_max = (uint64_t)usage.ru_maxrss * 1024;
    info.user_time[0] = (int32_t)usage.ru_utime.tv_sec;
    info.user_time[1] = (int32_t)usage.ru_utime.tv_usec;
    info.system_time[0] = (int32_t)usage.ru_stime.tv_sec;
    info.system_time[1] = (int32_t)usage.ru_stime.tv_usec;
    memcpy(out, &info, sizeof info);
    *count = sizeof info / 4;
    return KERN_SUCCESS;
}

static int darwin_vm_allocate(uint32_t task, uintptr_t *address, size_t size, int flags)
{
    (void)task;
    bool anywhere = flags & 1; /* VM_FLAGS_ANYWHERE */
    void *memory = mmap(anywhere ? NULL : (void *)*address, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | (anywhere ? 0 : MAP_FIXED_NOREPLACE), -1, 0);
    if (memory == MAP_FAILED) {
        return KERN_NO_SPACE;
    }
    *address = (uintptr_t)memory;
    return KERN_SUCCESS;
}

static int darwin_vm_deallocate(uint32_t task, uintptr_t address, size_t size)
{
    (void)task;
    return munmap((void *)address, size) ? KERN_INVALID_ARGUMENT : KERN_SUCCESS;
}

static int darwin_vm_protect(uint32_t task, uintptr_t address, size_t size, int maximum, int protection)
{
    (void)task;
    if (maximum) {
        return KERN_SUCCESS; /* the maximum is not kept here */
    }
    /* Of all pages that the range touches. VM_PROT_COPY (0x10) asks for a private one, which all of these are. */
    size_t before = address % 4096;
    return mprotect((void *)(address - before), size + before, protection & 7) ? KERN_INVALID_ARGUMENT : KERN_SUCCESS;
}

static const struct symbol mach_symbols[] = {
    SHIM(mach_task_self_),
    SHIM(vm_page_size),
    SHIM(vm_page_mask),
    SHIM(vm_page_shift),
    SHIM(vm_kernel_page_size),
    SHIM(mach_absolute_time),
    SHIM(mach_continuous_time),
    SHIM_AS("_mach_approximate_time", mach_absolute_time),
    SHIM(mach_timebase_info),
    SHIM(mach_wait_until),
    SHIM(mach_host_self),
    SHIM(mach_thread_self),
    SHIM(mach_port_deallocate),
    SHIM(task_info),
    SHIM(task_for_pid),
    SHIM(task_threads),
    SHIM(vm_allocate),
    SHIM_AS("_mach_vm_allocate", vm_allocate),
    SHIM(vm_deallocate),
    SHIM_AS("_mach_vm_deallocate", vm_deallocate),
    SHIM(vm_protect),
    SHIM_AS("_mach_vm_protect", vm_protect),
};

SYMBOL_TABLE(mach);
