#include "07-image/given_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "given/todo.h"

int fault_set(struct fault *fault, int error, const char *format, ...)
{
    va_list list;

    if (fault->text[0] != '\0')
        return error;
    va_start(list, format);
    vsnprintf(fault->text, sizeof fault->text, format, list);
    va_end(list);
    for (char *at = fault->text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return error;
}

const char *fault_reason(int error)
{
    return error == STRATA_TODO ? "not written yet" : strerror(-error);
}
