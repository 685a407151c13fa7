/* lab04: COMMAND with a mount tree of its own. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"
#include "03-pid/given_wiring.h"
#include "04-mount/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {&process_layer, &uts_layer, &pid_layer,
                                                 &mount_layer, NULL};
    static const struct lab_program lab = {"lab04", "Runs COMMAND with a mount tree of its own.",
                                           layers};

    return lab_main(&lab, argc, argv);
}
