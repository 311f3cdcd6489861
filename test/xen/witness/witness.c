// The witness: a program in the teleported guest whose state can be checked from outside.
//
// In the guest, "witness DIR..." does three things at once:
//  * ten times a second it appends a numbered, chained record to DIR/records in every DIR,
//    waits for fsync, and only then says on its console "ack N": that record may never be lost;
//  * it keeps a counter, a hash chain and a page arena in memory, which a reboot would lose;
//  * it rewrites random parts of DIR/churn past the page cache and reads others back, comparing
//    each with the generation that it remembers: an acknowledged write that was lost shows at once.
// The mode ("normal", "heavy", "idle") comes from the command line and from the xenstore key
// data/witness, which dom0 may write at any time.
//
// On a host, "witness --verify ..." and "witness --console ..." judge what is left (verify.c).

#define _GNU_SOURCE
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DIRS = 4, ARENA_PAGES = 512, MAX_WRITE_BLOCKS = 16 };

enum mode { IDLE, NORMAL, HEAVY };

static _Atomic int mode = NORMAL;
static _Atomic bool stopping;
static char boot_id[37];

static void broken(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("\nwitness: BROKEN ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(double seconds) {
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

// ---- memory: every page says which page it is and how often it was rewritten ----

static uint64_t arena[ARENA_PAGES][BLOCK_SIZE / 8];
static uint64_t arena_generation[ARENA_PAGES];

static void check_and_rewrite_page(uint64_t page) {
    uint64_t *words = arena[page];
    if (!block_is_valid(words, page, arena_generation[page]))
        broken("memory page %llu is not as it was left", (unsigned long long)page);
    fill_block(words, page, ++arena_generation[page]);
}

// ---- churn: random rewriting of a file, with a memory of what must be there ----

struct churn {
    int fd;
    uint64_t blocks, seed;
    uint64_t *generation;
    uint64_t *buffer;  // MAX_WRITE_BLOCKS blocks, aligned
};

static void check_churn(struct churn *c, uint64_t first, uint64_t count) {
    ssize_t size = (ssize_t)(count * BLOCK_SIZE);
    if (pread(c->fd, c->buffer, (size_t)size, (off_t)(first * BLOCK_SIZE)) != size)
        broken("churn block %llu: %s", (unsigned long long)first, strerror(errno));
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t *words = c->buffer + i * BLOCK_SIZE / 8;
        uint64_t block = first + i, generation = c->generation[block];
        if (!(generation == 0 ? block_is_zero(words) : block_is_valid(words, block, generation)))
            broken("churn block %llu holds generation %llu, acknowledged was %llu", (unsigned long long)block,
                   (unsigned long long)words[1], (unsigned long long)generation);
    }
}

static void rewrite_churn(struct churn *c) {
    uint64_t count = 1 + next_random(&c->seed) % MAX_WRITE_BLOCKS;
    uint64_t first = next_random(&c->seed) % (c->blocks - count);
    for (uint64_t i = 0; i < count; i++)
        fill_block(c->buffer + i * BLOCK_SIZE / 8, first + i, c->generation[first + i] + 1);
    ssize_t size = (ssize_t)(count * BLOCK_SIZE);
    if (pwrite(c->fd, c->buffer, (size_t)size, (off_t)(first * BLOCK_SIZE)) != size)
        broken("churn write: %s", strerror(errno));
    for (uint64_t i = 0; i < count; i++) c->generation[first + i]++;
}

static void open_churn(struct churn *c, const char *directory, uint64_t mebibytes) {
    char path[256];
    snprintf(path, sizeof path, "%s/churn", directory);
    unlink(path);  // generations are known from the start of this boot only
    c->fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0644);
    if (c->fd < 0 || (errno = posix_fallocate(c->fd, 0, (off_t)(mebibytes << 20))) != 0)
        broken("%s: %s", path, strerror(errno));
    c->blocks = (mebibytes << 20) / BLOCK_SIZE;
    c->seed = 0x9E3779B97F4A7C15ull ^ (uint64_t)getpid();
    c->generation = calloc(c->blocks, sizeof *c->generation);
    if (!c->generation || posix_memalign((void **)&c->buffer, BLOCK_SIZE, MAX_WRITE_BLOCKS * BLOCK_SIZE))
        broken("out of memory");
}

static void *churn_thread(void *argument) {
    struct churn *c = argument;
    for (uint64_t turn = 0; !stopping; turn++) {
        if (mode != IDLE) rewrite_churn(c);
        if (mode != HEAVY || turn % 16 == 0) check_churn(c, next_random(&c->seed) % c->blocks, 1);
        if (mode != HEAVY) nap(0.25);
    }
    // a whole number of these: the file has whole mebibytes
    for (uint64_t block = 0; block < c->blocks; block += MAX_WRITE_BLOCKS) check_churn(c, block, MAX_WRITE_BLOCKS);
    return NULL;
}

// ---- orders from dom0: the xenstore key data/witness of this domain ----

static void *orders_thread(void *unused) {
    (void)unused;
    struct { uint32_t type, request, transaction, length; } header;
    static const char key[] = "data/witness";
    int fd = open("/dev/xen/xenbus", O_RDWR);
    for (; fd >= 0; nap(1)) {
        char message[sizeof header + sizeof key], answer[4096];
        header.type = 2, header.request = 0, header.transaction = 0, header.length = sizeof key;  // XS_READ
        memcpy(message, &header, sizeof header);
        memcpy(message + sizeof header, key, sizeof key);
        if (write(fd, message, sizeof message) != (ssize_t)sizeof message) continue;
        if (read(fd, &header, sizeof header) != (ssize_t)sizeof header || header.length >= sizeof answer) break;
        size_t got = 0;
        while (got < header.length) {
            ssize_t n = read(fd, answer + got, header.length - got);
            if (n <= 0) return NULL;
            got += (size_t)n;
        }
        answer[got] = '\0';
        if (header.type != 2) continue;  // no such key
        if (!strcmp(answer, "heavy")) mode = HEAVY;
        if (!strcmp(answer, "normal")) mode = NORMAL;
        if (!strcmp(answer, "idle")) mode = IDLE;
    }
    return NULL;
}

// ---- records ----

static void on_signal(int number) {
    (void)number;
    stopping = true;
}

static void run(char **directories, int count, uint64_t churn_mebibytes) {
    int records[MAX_DIRS];
    struct churn churn[MAX_DIRS];
    pthread_t threads[MAX_DIRS], orders;
    for (int i = 0; i < count; i++) {
        char path[256], old[256];
        snprintf(path, sizeof path, "%s/records", directories[i]);
        snprintf(old, sizeof old, "%s/records.old", directories[i]);
        rename(path, old);
        records[i] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (records[i] < 0) broken("%s: %s", path, strerror(errno));
        open_churn(&churn[i], directories[i], churn_mebibytes);
    }
    for (uint64_t page = 0; page < ARENA_PAGES; page++) fill_block(arena[page], page, 0);
    printf("\nwitness: start pid %d boot %s\n", (int)getpid(), boot_id);
    fflush(stdout);
    for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, churn_thread, &churn[i]);
    pthread_create(&orders, NULL, orders_thread, NULL);

    uint64_t chain = chain_seed(boot_id), number = 1;
    double last = now(CLOCK_BOOTTIME), longest_gap = 0;
    for (; !stopping; number++) {
        chain = chain_next(chain, number);
        char record[RECORD_SIZE + 1];
        format_record(record, number, now(CLOCK_BOOTTIME), getpid(), boot_id, chain);
        for (int i = 0; i < count; i++)
            if (write(records[i], record, RECORD_SIZE) != RECORD_SIZE) broken("record: %s", strerror(errno));
        for (int i = 0; i < count; i++)
            if (fsync(records[i]) != 0) broken("fsync: %s", strerror(errno));
        for (uint64_t i = 0; i < 8; i++) check_and_rewrite_page((number * 8 + i) % ARENA_PAGES);
        double time = now(CLOCK_BOOTTIME);
        if (time - last > longest_gap) longest_gap = time - last;
        last = time;
        printf(ACK_FORMAT "\n", (unsigned long long)number, time, now(CLOCK_REALTIME), (int)getpid(), boot_id,
               (unsigned long long)chain, longest_gap);
        fflush(stdout);
        nap(0.1);
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    printf("\nwitness: stopped after %llu records, memory and churn as they should be\n",
           (unsigned long long)(number - 1));
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "--verify")) return verify_records(argc - 2, argv + 2);
    if (argc > 2 && !strcmp(argv[1], "--churn")) return verify_churn(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "--console")) return verify_console(argc - 2, argv + 2);

    uint64_t churn_mebibytes = 32;
    int option;
    while ((option = getopt(argc, argv, "m:c:")) != -1) {
        if (option == 'm') mode = !strcmp(optarg, "heavy") ? HEAVY : !strcmp(optarg, "idle") ? IDLE : NORMAL;
        if (option == 'c') churn_mebibytes = strtoull(optarg, NULL, 10);
    }
    if (optind >= argc || argc - optind > MAX_DIRS || churn_mebibytes == 0) {
        fputs("usage: witness [-m normal|heavy|idle] [-c CHURN_MIB] DIR...\n"
              "       witness --verify RECORDS [ACKNOWLEDGED [BOOT]]\n"
              "       witness --churn FILE\n"
              "       witness --console LOG...\n", stderr);
        return 2;
    }
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (!file || fscanf(file, "%36s", boot_id) != 1) broken("no boot id");
    fclose(file);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    run(argv + optind, argc - optind, churn_mebibytes);
    return 0;
}
