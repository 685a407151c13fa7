#include "07-image/given_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *settings_store = "store";
struct image_limits settings_limits = {.bytes = UINT64_C(4) << 30, .entries = 200000};

int settings_split(const char *value, char **a, char **b)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return -ENOMEM;
    char *sign = strrchr(copy, '=');
    if (sign == NULL) {
        free(copy);
        return -EINVAL;
    }
    *sign = '\0';
    *a = copy;
    *b = sign + 1;
    return 0;
}

void settings_refuse(const struct fault *fault, int error)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name,
            fault->text[0] != '\0' ? fault->text : fault_reason(error));
    exit(125);
}
