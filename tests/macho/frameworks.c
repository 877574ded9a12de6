/* CoreFoundation and SystemConfiguration for programs that ask for proxies: there are none. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

/* Every object is this one: an empty dictionary, array or string, which nothing can be told from another. */
struct object {
    const void *class;
    uint64_t flags;
    const char *text; /* of a CFSTR() that the compiler made */
    uint64_t length;
};

static uint64_t darwin___CFConstantStringClassReference[32];
static struct object empty = {darwin___CFConstantStringClassReference, 0x7c8, "", 0};
static const void *darwin_kCFAllocatorDefault;
static const void *darwin_kCFBooleanTrue = &empty;
static const void *darwin_kCFBooleanFalse = &empty;

static const void *darwin_CFDictionaryGetValue(const void *dictionary, const void *key)
{
    (void)dictionary;
    (void)key;
    return NULL;
}

static bool darwin_CFNumberGetValue(const void *number, long type, void *value)
{
    (void)number;
    (void)type;
    (void)value;
    return false;
}

static const void *darwin_CFArrayGetValueAtIndex(const void *array, long index)
{
    (void)array;
    (void)index;
    abort(); /* arrays here are empty */
}

static long darwin_CFArrayGetCount(const void *array)
{
    (void)array;
    return 0;
}

static long darwin_CFStringGetLength(const struct object *string)
{
    return (long)string->length;
}

static long darwin_CFStringGetMaximumSizeForEncoding(long length, uint32_t encoding)
{
    (void)encoding;
    return length * 4;
}

static bool darwin_CFStringGetCString(const struct object *string, char *buffer, long size, uint32_t encoding)
{
    (void)encoding;
    if (size < 0 || string->length >= (uint64_t)size) {
        return false;
    }
    memcpy(buffer, string->text, string->length);
    buffer[string->length] = '\0';
    return true;
}

/* "Not at once": the caller asks for a copy. */
static const char *darwin_CFStringGetCStringPtr(const void *string, uint32_t encoding)
{
    (void)string;
    (void)encoding;
    return NULL;
}

static unsigned long darwin_type_id(const void *object)
{
    (void)object;
    return 1;
}

static void darwin_CFRelease(const void *object)
{
    (void)object;
}

static const void *darwin_CFRetain(const void *object)
{
    return object;
}

static const void *darwin_SCDynamicStoreCopyProxies(const void *store)
{
    (void)store;
    return &empty;
}

static const void *darwin_key = &empty;

#define KEY(name) SHIM_AS("_kSCPropNetProxies" name, key)

static const struct symbol corefoundation_symbols[] = {
    SHIM(__CFConstantStringClassReference),
    SHIM(kCFAllocatorDefault),
    SHIM(kCFBooleanTrue),
    SHIM(kCFBooleanFalse),
    SHIM(CFDictionaryGetValue),
    SHIM(CFNumberGetValue),
    SHIM(CFArrayGetValueAtIndex),
    SHIM(CFArrayGetCount),
    SHIM(CFStringGetLength),
    SHIM(CFStringGetMaximumSizeForEncoding),
    SHIM(CFStringGetCString),
    SHIM(CFStringGetCStringPtr),
    SHIM_AS("_CFGetTypeID", type_id),
    SHIM_AS("_CFStringGetTypeID", type_id),
    SHIM_AS("_CFNumberGetTypeID", type_id),
    SHIM_AS("_CFArrayGetTypeID", type_id),
    SHIM_AS("_CFDictionaryGetTypeID", type_id),
    SHIM_AS("_CFBooleanGetTypeID", type_id),
    SHIM(CFRelease),
    SHIM(CFRetain),
};

SYMBOL_TABLE(corefoundation);

static const struct symbol systemconfiguration_symbols[] = {
    SHIM(SCDynamicStoreCopyProxies),
    KEY("ExceptionsList"),
    KEY("ExcludeSimpleHostnames"),
    KEY("FTPEnable"),
    KEY("FTPPort"),
    KEY("FTPProxy"),
    KEY("FTPPassive"),
    KEY("GopherEnable"),
    KEY("GopherPort"),
    KEY("GopherProxy"),
    KEY("HTTPEnable"),
    KEY("HTTPPort"),
    KEY("HTTPProxy"),
    KEY("HTTPSEnable"),
    KEY("HTTPSPort"),
    KEY("HTTPSProxy"),
    KEY("RTSPEnable"),
    KEY("RTSPPort"),
    KEY("RTSPProxy"),
    KEY("SOCKSEnable"),
    KEY("SOCKSPort"),
    KEY("SOCKSProxy"),
    KEY("ProxyAutoConfigEnable"),
    KEY("ProxyAutoConfigURLString"),
    KEY("ProxyAutoDiscoveryEnable"),
};

SYMBOL_TABLE(systemconfiguration);
