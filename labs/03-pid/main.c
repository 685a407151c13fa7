/* lab03: starts COMMAND as PID 1, or behind an init that is. */
#include "01-process/given_wiring.h"
#include "02-uts-ipc/given_wiring.h"
#include "03-pid/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {&process_layer, &uts_layer, &pid_layer, NULL};
    static const struct lab_program lab = {"lab03", "Runs COMMAND in a PID namespace of its own.",
                                           layers};

    return lab_main(&lab, argc, argv);
}
