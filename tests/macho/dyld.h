/* The functions of dyld that programs call (dyld.c), as far as the loader itself needs them. */
#ifndef MACHO_DYLD_H
#define MACHO_DYLD_H

struct image;

/* Tell those who registered for it (_dyld_register_func_for_add_image). */
void dyld_image_added(const struct image *image);

#endif
