/* lab08: Runs COMMAND in a user namespace of its own. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"
#include "03-pid/given_wiring.h"
#include "04-mount/given_wiring.h"
#include "05-pivot-root/given_wiring.h"
#include "06-overlayfs/given_wiring.h"
#include "07-image/given_wiring.h"
#include "08-user/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {&process_layer, &uts_layer,  &pid_layer,
                                                 &mount_layer,   &root_layer, &overlay_layer,
                                                 &image_layer,   &user_layer, NULL};
    static const struct lab_program lab = {"lab08", "Runs COMMAND in a user namespace of its own.",
                                           layers};

    return lab_main(&lab, argc, argv);
}
