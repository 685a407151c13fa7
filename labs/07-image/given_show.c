/* What there is: images, their history, and what they waste. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "07-image/given_image.h"

/* Text of strangers on a terminal: control characters are left out of it. */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

int image_list(int store, struct fault *fault)
{
    struct oci_image image;
    json_t *index;
    int result = index_read(store, &index, fault);
    const json_t *manifests = json_object_get(index, "manifests");

    for (size_t i = 0; result == 0 && i < json_array_size(manifests); i++) {
        struct descriptor manifest;
        const json_t *entry = json_array_get(manifests, i);
        const char *name =
            json_string_value(json_object_get(json_object_get(entry, "annotations"), OCI_NAME));
        if (name == NULL)
            continue;
        result = descriptor_read(entry, &manifest, fault);
        if (result == 0)
            result = oci_image_read(store, &manifest, &image, fault);
        if (result < 0)
            break;
        uint64_t bytes = 0;
        for (size_t k = 0; k < image.count; k++)
            bytes += image.layers[k].blob.size;
        print_text(name);
        printf("\t%s\t%zu\t%" PRIu64 "\n", manifest.digest, image.count, bytes);
        oci_image_free(&image);
    }
    json_decref(index);
    return result;
}

static int layer_size(int store, const struct oci_layer *layer, uint64_t *bytes,
                      struct fault *fault)
{
    int blob = oci_open(store, &layer->blob, fault);

    if (blob < 0)
        return blob;
    int result = image_size(blob, bytes);
    close(blob);
    return result < 0 ? fault_set(fault, result, "image_size: %s", fault_reason(result)) : 0;
}

int image_history(int store, const char *name, struct fault *fault)
{
    struct oci_image image;
    size_t layer = 0;
    int result = oci_image_named(store, name, &image, fault);
    const json_t *history = json_object_get(image.settings, "history");

    for (size_t i = 0; result == 0 && i < json_array_size(history); i++) {
        const json_t *entry = json_array_get(history, i);
        const char *text = json_string_value(json_object_get(entry, "created_by"));
        uint64_t bytes = 0;
        /* An instruction that changed no file made no layer: ENV, CMD, LABEL and their like. */
        if (!json_is_true(json_object_get(entry, "empty_layer")) && layer < image.count)
            result = layer_size(store, &image.layers[layer++], &bytes, fault);
        if (result == 0) {
            printf("%" PRIu64 "\t", bytes);
            print_text(text != NULL ? text : "?");
            putchar('\n');
        }
    }
    for (; result == 0 && layer < image.count; layer++) { /* a history is not obligatory */
        uint64_t bytes;
        result = layer_size(store, &image.layers[layer], &bytes, fault);
        if (result == 0)
            printf("%" PRIu64 "\t?\n", bytes);
    }
    oci_image_free(&image);
    return result;
}

int image_print_waste(int store, const char *name, struct fault *fault)
{
    int blobs[OCI_LAYERS_MAX];
    struct oci_image image;
    uint64_t total = 0, wasted, bytes;
    size_t count = 0;
    int result = oci_image_named(store, name, &image, fault);

    for (; result == 0 && count < image.count; count++) {
        blobs[count] = oci_open(store, &image.layers[count].blob, fault);
        if (blobs[count] < 0) {
            result = blobs[count];
            break;
        }
        result = image_size(blobs[count], &bytes);
        total += result == 0 ? bytes : 0;
    }
    if (result == 0)
        result = image_waste(blobs, count, &wasted);
    while (count > 0)
        close(blobs[--count]);
    oci_image_free(&image);
    if (result == 0)
        printf("%" PRIu64 "\t%" PRIu64 "\n", wasted, total);
    return result < 0 ? fault_set(fault, result, "image_waste: %s", fault_reason(result)) : 0;
}
