/* lab02: starts COMMAND with a host name and queues of its own. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {&process_layer, &uts_layer, NULL};
    static const struct lab_program lab = {
        "lab02", "Runs COMMAND with a host name and queues of its own.", layers};

    return lab_main(&lab, argc, argv);
}
