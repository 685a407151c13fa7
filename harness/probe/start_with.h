/* Becoming another program with other powers than a room's root has. */
#pragma once

/* probe --start-with WORD... PROGRAM [ARGUMENT...], where each WORD is one of
 *   uid=N gid=N groups=N,N,...   who it is (groups= alone: in none)
 *   inh=HEX amb=HEX              the inheritable and the ambient set; ambient ones are inheritable
 *   bnd=HEX                      what stays of the bounding set
 *   noroot                       uid 0 alone gives exec no capabilities (SECBIT_NOROOT)
 *   alone  alone=UID:GID         a user namespace with one id, root or these numbers, and setgroups
 *                                denied
 *   noclone3                     where clone3 is no system call (ENOSYS)
 *   nosync                       where fsync and its like fail (EIO)
 * Never returns; ends with 120 when something does not work. capabilities(7) */
_Noreturn void probe_start_with(char **words);
