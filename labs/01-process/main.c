/* lab01: starts COMMAND, waits for it, and answers questions about processes. */
#include "01-process/given_wiring.h"

int main(int argc, char **argv)
{
    static const struct layer *const layers[] = {&process_layer, NULL};
    static const struct lab_program lab = {"lab01", "Runs COMMAND as a process of its own.",
                                           layers};

    return lab_main(&lab, argc, argv);
}
