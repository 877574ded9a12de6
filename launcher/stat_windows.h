/* stat_windows.h: what Windows' functions tell of virtual files. */
#ifndef OX_STAT_WINDOWS_H
#define OX_STAT_WINDOWS_H

#include <stdint.h>
#include <windows.h>

/* The volume's serial number, which no other is likely to have: with it, a file's number is its own everywhere. */
#define OX_VOLUME 0x6f786372u

FILETIME ox_stat_time(void);

/* FILE_ATTRIBUTE_… */
DWORD ox_stat_attributes(uint32_t node);

#endif
