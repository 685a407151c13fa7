/* `probe --refuse-filters /PROGRAM ARGUMENT...`: PROGRAM, where the kernel takes no filter of
 * anybody any more: one of ours answers ENOMEM for it. Graders see by it what becomes of an error
 * that is hard to have otherwise. */
#pragma once

_Noreturn void probe_refuse_filters(char **argv);
