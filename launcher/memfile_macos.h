/* memfile_macos.h: what memfile.h has, and more. */
#ifndef OX_MEMFILE_MACOS_H
#define OX_MEMFILE_MACOS_H

/* Looks up the folder for temporary files, which a child of fork(2) must not. */
void ox_memfile_ready(void);

#endif
