/* lab06: Runs COMMAND on layered files. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"
#include "03-pid/given_wiring.h"
#include "04-mount/given_wiring.h"
#include "05-pivot-root/given_wiring.h"
#include "06-overlayfs/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {
        &process_layer, &uts_layer, &pid_layer, &mount_layer, &root_layer, &overlay_layer, NULL};
    static const struct lab_program lab = {"lab06", "Runs COMMAND on layered files.", layers};

    return lab_main(&lab, argc, argv);
}
