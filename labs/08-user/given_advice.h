/* When a container did not start: does this machine keep user namespaces from us? */
#pragma once

/* Tries to have one. If that fails, or gives one without powers, says on stderr what forbids it and
 * what to do; otherwise nothing. */
void advice_user_namespaces(const char *program);
