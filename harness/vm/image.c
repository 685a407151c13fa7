#include "vm/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/own.h"
#include "vm/cpio.h"

enum { MEMORY_MIB = 1024 };

/* --- the image ---------------------------------------------------------------------------------
 */

static int copy_system(const char *root, int to)
{
    char path[PATH_MAX];
    struct stat st;
    off_t at = 0;
    ssize_t sent = 1;

    snprintf(path, sizeof path, "%s/build/vm/system.cpio", root);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    while (at < st.st_size && sent > 0)
        sent = sendfile(to, fd, &at, (size_t)(st.st_size - at));
    return sent < 0 ? -errno : at == st.st_size ? 0 : -EIO;
}

static int add(struct cpio *cpio, const char *path, const char *source, mode_t mode)
{
    autoclose int fd = open(source, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = cpio_folders(cpio, path);
    return result == 0 ? cpio_file(cpio, path, mode, fd) : result;
}

/* build/NAME becomes /kit/build/NAME. */
static int add_built(struct cpio *cpio, const char *root, const char *name)
{
    char source[PATH_MAX], path[PATH_MAX];

    snprintf(source, sizeof source, "%s/build/%s", root, name);
    snprintf(path, sizeof path, "kit/build/%s", name);
    return add(cpio, path, source, strchr(name, '.') != NULL ? 0644 : 0755);
}

/* The programs beside the labs' own. */
static int add_extras(struct cpio *cpio, const char *root)
{
    char path[PATH_MAX];
    int result = 0;

    snprintf(path, sizeof path, "%s/build/extra", root);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? 0 : -errno;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        if (strchr(entry->d_name, '.') != NULL)
            continue;
        snprintf(path, sizeof path, "extra/%s", entry->d_name);
        result = add_built(cpio, root, path);
    }
    closedir(folder);
    return result;
}

static int add_kit(struct cpio *cpio, const char *root)
{
    static const char *const built[] = {"grade", "sandbox", "inside", "probe", "rootfs.tar"};
    char source[PATH_MAX];

    for (size_t i = 0; i < sizeof built / sizeof *built; i++) {
        int result = add_built(cpio, root, built[i]);
        if (result < 0)
            return result;
    }
    snprintf(source, sizeof source, "%s/build/guest-init", root);
    int result = add(cpio, "init", source, 0755);
    if (result == 0) /* it is in the common part already */
        result = cpio_add(cpio, "kit/build/busybox", S_IFLNK | 0777, "/usr/bin/busybox", 16);
    return result == 0 ? add_extras(cpio, root) : result;
}

static int add_job(struct cpio *cpio, const char *job, const char *nonce)
{
    autofree char *text = NULL;

    if (asprintf(&text, "nonce %s\n%s", nonce, job) < 0)
        return -ENOMEM;
    return cpio_add(cpio, "strata.job", S_IFREG | 0400, text, strlen(text));
}

int image_make(const struct guest_options *options, const char *nonce)
{
    autoclose int fd = memfd_create("strata-guest", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int result = copy_system(options->root, fd);
    autofclose FILE *out = result == 0 ? fdopen(dup(fd), "w") : NULL;
    struct cpio cpio = {.out = out};
    if (result == 0 && out == NULL)
        result = -errno;
    if (result == 0)
        result = add_kit(&cpio, options->root);
    for (size_t i = 0; result == 0 && i < options->file_count; i++)
        result =
            add(&cpio, options->files[i].path, options->files[i].source, options->files[i].mode);
    if (result == 0)
        result = add_job(&cpio, options->job, nonce);
    if (result == 0)
        result = cpio_end(&cpio);
    return result < 0 ? result : kernel_own_take(&fd);
}

/* --- the command -------------------------------------------------------------------------------
 */

struct processor {
    const char *name;    /* uname(2)'s                              */
    const char *program; /* QEMU's                                  */
    const char *machine; /* -machine                                */
    const char *cpu;     /* -cpu, emulated                          */
    const char *console; /* the kernel's name of the first port     */
    const char *report;  /* and of the one for results              */
    const char *port;    /* what makes that port                    */
};

/* What costs most when it is emulated, and what kernel and libraries do in another way when it is
 * not there: strings of single bytes (erms, fsrm: a loop for each byte, where eight would go at
 * once), a switch around each access to a program's memory (smap), vector registers that every
 * change of process saves (xsave). */
#define CHEAP "max,-erms,-fsrm,-smap,-smep,-xsave"

/* The second has never been run: nobody has had such a machine. */
static const struct processor processors[] = {
    {"x86_64", "qemu-system-x86_64", "q35", CHEAP, "ttyS0", "ttyS1",
     "isa-serial,chardev=report,index=1"},
    {"aarch64", "qemu-system-aarch64", "virt", "max", "ttyAMA0", "ttyS0",
     "pci-serial,chardev=report"},
};

static const struct processor *this_processor(void)
{
    struct utsname name;

    uname(&name);
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++)
        if (strcmp(processors[i].name, name.machine) == 0)
            return &processors[i];
    return NULL;
}

const char *image_program(void)
{
    const struct processor *processor = this_processor();

    return processor != NULL ? processor->program : NULL;
}

/* What a kernel could do without, when it is to be up in two seconds: looking for weaknesses of
 * processors that are not there, trials of ciphers, security modules, zeroing of all that is
 * handed out, and patience with readers of what is removed (RCU: each unmount waits). A panic ends
 * QEMU (-no-reboot) at once. */
#define QUICK                                                                                      \
    "quiet panic=-1 oops=panic mitigations=off noreplace-smp cryptomgr.notests lsm= audit=0 "      \
    "init_on_alloc=0 tsc=reliable no_timer_check random.trust_cpu=on rcupdate.rcu_expedited=1"

/* What both commands begin with; returns how many words. */
static size_t add_machine(const struct guest_options *options, const struct processor *processor,
                          const char *argv[IMAGE_ARGV_MAX])
{
    static char kernel[PATH_MAX], machine[64], memory[16];

    snprintf(kernel, sizeof kernel, "%s/build/vm/linux", options->root);
    snprintf(machine, sizeof machine, "%s,accel=%s", processor->machine,
             options->kvm ? "kvm" : "tcg");
    snprintf(memory, sizeof memory, "%d", MEMORY_MIB);
    const char *const words[] = {processor->program,
                                 "-nodefaults",
                                 "-no-user-config",
                                 "-no-reboot",
                                 "-display",
                                 "none",
                                 "-machine",
                                 machine,
                                 "-cpu",
                                 options->kvm ? "host" : processor->cpu,
                                 "-smp",
                                 "1,maxcpus=2", /* a second one costs a second: it is off */
                                 "-m",
                                 memory,
                                 "-kernel",
                                 kernel,
                                 "-initrd",
                                 "/proc/self/fd/3"};

    memcpy(argv, words, sizeof words);
    return sizeof words / sizeof *words;
}

void image_command(const struct guest_options *options, const char *argv[IMAGE_ARGV_MAX])
{
    static char line[512];
    const struct processor *processor = this_processor();
    size_t count = add_machine(options, processor, argv);

    snprintf(line, sizeof line, "console=%s %s rdinit=/init strata.cgroup=%s strata.report=%s",
             processor->console, QUICK, guest_cgroup_name(options->cgroup), processor->report);
    const char *const words[] = {"-chardev", "file,id=console,path=/proc/self/fd/2",
                                 "-serial",  "chardev:console",
                                 "-chardev", "file,id=report,path=/proc/self/fd/1",
                                 "-device",  processor->port,
                                 "-append",  line,
                                 NULL};
    memcpy(argv + count, words, sizeof words);
}

void image_shell_command(const struct guest_options *options, int rows, int columns,
                         const char *argv[IMAGE_ARGV_MAX])
{
    static char line[512];
    const struct processor *processor = this_processor();
    size_t count = add_machine(options, processor, argv);

    snprintf(line, sizeof line,
             "console=%s %s rdinit=/init strata.cgroup=%s strata.shell=%s strata.size=%dx%d",
             processor->console, QUICK, guest_cgroup_name(options->cgroup), processor->console,
             rows, columns);
    const char *const words[] = {"-serial", "mon:stdio", "-append", line, NULL};
    memcpy(argv + count, words, sizeof words);
}
