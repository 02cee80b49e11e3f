/*
 * Makes reads and writes of plain files transfer less than was asked for, and interrupts some of them; to be preloaded.
 *
 *   SHORT_MOST=N    at most N bytes a call
 *   SHORT_SEED=S    between 1 and SHORT_MOST bytes, by chance
 *   SHORT_EINTR=K   every K-th call fails with EINTR before it did anything
 *   SHORT_TOLD=F    at the end, "shortened N interrupted M" goes to file F: the proof that calls came through here
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static uint64_t most, seed, every;
static atomic_ulong calls, shortened, interrupted;

static uint64_t number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    most = number("SHORT_MOST");
    seed = number("SHORT_SEED");
    every = number("SHORT_EINTR");
}

__attribute__((destructor)) static void tell(void)
{
    const char *told = getenv("SHORT_TOLD");
    char text[80];
    if (!told)
        return;
    int length = snprintf(text, sizeof text, "shortened %lu interrupted %lu\n", shortened, interrupted);
    int file = open(told, O_WRONLY | O_CREAT | O_APPEND, 0600);
    syscall(SYS_write, file, text, length);
    close(file);
}

/* How many bytes this call may transfer; -1 when it is interrupted. */
static ssize_t allowed(int file, size_t wanted)
{
    struct stat meta;
    if (fstat(file, &meta) != 0 || !S_ISREG(meta.st_mode))
        return wanted;
    uint64_t number = atomic_fetch_add(&calls, 1) + 1;
    if (every && number % every == 0) {
        atomic_fetch_add(&interrupted, 1);
        errno = EINTR;
        return -1;
    }
    if (!most || wanted == 0)
        return wanted;
    uint64_t limit = most;
    if (seed) {
        uint64_t mixed = (number + seed) * 0x9e3779b97f4a7c15u;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
        limit = 1 + (mixed ^ (mixed >> 27)) % most;
    }
    if (wanted <= limit)
        return wanted;
    atomic_fetch_add(&shortened, 1);
    return limit;
}

ssize_t read(int file, void *to, size_t wanted)
{
    ssize_t some = allowed(file, wanted);
    return some < 0 ? -1 : syscall(SYS_read, file, to, some);
}

ssize_t write(int file, const void *from, size_t wanted)
{
    ssize_t some = allowed(file, wanted);
    return some < 0 ? -1 : syscall(SYS_write, file, from, some);
}

ssize_t pread64(int file, void *to, size_t wanted, off64_t at)
{
    ssize_t some = allowed(file, wanted);
    return some < 0 ? -1 : syscall(SYS_pread64, file, to, some, at);
}

ssize_t pwrite64(int file, const void *from, size_t wanted, off64_t at)
{
    ssize_t some = allowed(file, wanted);
    return some < 0 ? -1 : syscall(SYS_pwrite64, file, from, some, at);
}

ssize_t pread(int file, void *to, size_t wanted, off_t at)
{
    return pread64(file, to, wanted, at);
}

ssize_t pwrite(int file, const void *from, size_t wanted, off_t at)
{
    return pwrite64(file, from, wanted, at);
}

ssize_t readv(int file, const struct iovec *parts, int count)
{
    return count > 0 ? read(file, parts[0].iov_base, parts[0].iov_len) : 0;
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return count > 0 ? write(file, parts[0].iov_base, parts[0].iov_len) : 0;
}
