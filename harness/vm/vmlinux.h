/* The kernel proper, out of the image that a boot loader would start. */
#pragma once

/* Finds the compressed ELF file in `image` (a bzImage), and writes it to `out` if QEMU can start
 * it: if it has a PVH entry point (an ELF note, XEN_ELFNOTE_PHYS32_ENTRY).
 * Returns 0, -ENOENT if there is none, or -errno; `out` is there only after 0. */
int vmlinux_extract(const char *image, const char *out);
