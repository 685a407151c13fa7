/* What the two halves of --build share: given_build.c decides, given_instruction.c does. */
#pragma once

#include <limits.h>

#include "07-image/given_context.h"
#include "07-image/given_oci.h"
#include "07-image/given_stratafile.h"
#include "07-image/given_workshop.h"

enum { BUILD_STAGES_MAX = 32 };

struct builder {
    int store, folder;          /* open; `folder` is the one of the Stratafile              */
    char layers[PATH_MAX];      /* absolute: the store's layers/                            */
    char scratch[PATH_MAX];     /* absolute: a folder of ours below its tmp/                */
    struct oci_image image;     /* what has been built of this stage                        */
    struct workshop here, from; /* where it is built; the stage that COPY --from looks into */
    struct stage {
        const char *name; /* or NULL */
        struct oci_image image;
    } stages[BUILD_STAGES_MAX]; /* those that are done                                      */
    size_t stage_count;
    unsigned hits, misses;
};

/* What the instruction takes (of COPY; else nothing). */
int instruction_take(struct builder *builder, const struct instruction *it, struct context *context,
                     struct fault *fault);

/* Carries it out on builder->image: a layer more if files have changed, the configuration changed,
 * a line of history more. */
int instruction_do(struct builder *builder, const struct instruction *it,
                   const struct context *context, struct fault *fault);

/* Copies an image: the copy is the caller's to free. */
int builder_copy(struct oci_image *to, const struct oci_image *from);
