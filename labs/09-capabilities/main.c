/* lab09: Runs COMMAND with fewer powers. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"
#include "03-pid/given_wiring.h"
#include "04-mount/given_wiring.h"
#include "05-pivot-root/given_wiring.h"
#include "06-overlayfs/given_wiring.h"
#include "07-image/given_wiring.h"
#include "08-user/given_wiring.h"
#include "09-capabilities/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {
        &process_layer, &uts_layer,   &pid_layer,  &mount_layer,        &root_layer,
        &overlay_layer, &image_layer, &user_layer, &capabilities_layer, NULL};
    static const struct lab_program lab = {"lab09", "Runs COMMAND with fewer powers.", layers};

    return lab_main(&lab, argc, argv);
}
