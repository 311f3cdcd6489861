// The judge of what a witness left behind: its records, its churn file, its console logs.
#include "witness.h"

#include <stdlib.h>

struct ack {
    uint64_t number, chain;
    double uptime, wall, gap;
    int pid, file;
    char boot[37];
};

static int fail(const char *what, uint64_t number) {
    printf("witness: WRONG: %s (at %llu)\n", what, (unsigned long long)number);
    return 1;
}

// RECORDS [ACKNOWLEDGED [BOOT]]: all records from 1 on, whole, in one chain, up to the acknowledged one.
int verify_records(int count, char **arguments) {
    uint64_t acknowledged = count > 1 ? strtoull(arguments[1], NULL, 10) : 0;
    const char *boot = count > 2 ? arguments[2] : NULL;
    FILE *file = fopen(arguments[0], "rb");
    if (!file) return fail("no record file", 0);

    char record[RECORD_SIZE + 1] = "", expected[RECORD_SIZE + 1], id[37], first_id[37] = "";
    uint64_t last = 0, chain = 0;
    int first_pid = 0, pid;
    double uptime, last_uptime = 0;
    size_t got;
    while ((got = fread(record, 1, RECORD_SIZE, file)) == RECORD_SIZE) {
        unsigned long long number, its_chain;
        if (sscanf(record, "record %llu up %lf pid %d boot %36s chain %llx", &number, &uptime, &pid, id, &its_chain) != 5)
            break;
        if (last == 0) {
            strcpy(first_id, id);
            first_pid = pid;
            chain = chain_seed(id);
            if (boot && strcmp(boot, id) != 0) return fail("records are of another boot", number);
        }
        chain = chain_next(chain, number);
        format_record(expected, number, uptime, pid, id, its_chain);
        if (memcmp(expected, record, RECORD_SIZE) != 0) break;
        if (number != last + 1) return fail("a record is missing", last + 1);
        if (its_chain != chain) return fail("the chain is broken", number);
        if (pid != first_pid || strcmp(id, first_id) != 0) return fail("a reboot or another process", number);
        if (uptime < last_uptime) return fail("uptime went back", number);
        last = number, last_uptime = uptime;
    }
    bool rest = got == RECORD_SIZE || fread(record, 1, 1, file) == 1;
    fclose(file);
    if (last < acknowledged) return fail("an acknowledged record is lost or damaged", last + 1);
    if (rest && acknowledged == 0) return fail("a damaged record", last + 1);
    printf("witness: records 1..%llu whole and in order, %llu acknowledged, all there\n", (unsigned long long)last,
           (unsigned long long)acknowledged);
    return 0;
}

// Every block of the churn file is zero or whole: no torn and no misplaced block.
int verify_churn(const char *path) {
    static uint64_t words[BLOCK_SIZE / 8];
    FILE *file = fopen(path, "rb");
    if (!file) return fail("no churn file", 0);
    uint64_t block = 0, written = 0;
    for (; fread(words, BLOCK_SIZE, 1, file) == 1; block++) {
        if (block_is_zero(words)) continue;
        if (!block_is_valid(words, block, words[1])) return fail("churn block torn or misplaced", block);
        written++;
    }
    fclose(file);
    printf("witness: churn: %llu of %llu blocks written, all whole\n", (unsigned long long)written,
           (unsigned long long)block);
    return 0;
}

static int by_number(const void *a, const void *b) {
    const struct ack *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static struct ack *read_acks(int count, char **paths, size_t *total, bool *stopped) {
    struct ack *acks = NULL;
    size_t room = 0;
    char line[1024];
    for (int i = 0; i < count; i++) {
        FILE *file = fopen(paths[i], "rb");
        while (file && fgets(line, sizeof line, file)) {
            if (strstr(line, "witness: BROKEN") || strstr(line, "Kernel panic") || strstr(line, "I/O error")) {
                printf("witness: WRONG: %s: %s", paths[i], line);
                exit(1);
            }
            if (strstr(line, "witness: stopped after")) *stopped = true;
            struct ack a = {.file = i};
            unsigned long long number, chain;
            const char *start = strstr(line, "witness: ack ");
            if (!start || sscanf(start, "witness: ack %llu up %lf wall %lf pid %d boot %36s chain %llx longest-gap %lf",
                                 &number, &a.uptime, &a.wall, &a.pid, a.boot, &chain, &a.gap) != 7)
                continue;
            a.number = number, a.chain = chain;
            if (*total == room) acks = realloc(acks, (room = room * 2 + 1024) * sizeof *acks);
            acks[(*total)++] = a;
        }
        if (file) fclose(file);
    }
    return acks;
}

// The console logs of all hosts, in any order: one process of one boot, no number said twice (that would be
// the guest running on both sides), none missing but those whose line was cut between two logs.
int verify_console(int count, char **paths) {
    size_t total = 0, missing = 0, moves = 0;
    bool stopped = false;
    struct ack *acks = read_acks(count, paths, &total, &stopped);
    if (total == 0) return fail("nothing acknowledged", 0);
    qsort(acks, total, sizeof *acks, by_number);

    uint64_t chain = chain_seed(acks[0].boot), n = 0;
    for (size_t i = 0; i < total; i++) {
        const struct ack *a = &acks[i], *before = i ? a - 1 : NULL;
        if (before && a->number == before->number) return fail("the same record acknowledged twice", a->number);
        if (before && (a->pid != before->pid || strcmp(a->boot, before->boot) != 0))
            return fail("a reboot or another process", a->number);
        if (before && a->uptime < before->uptime) return fail("uptime went back", a->number);
        missing += a->number - (before ? before->number : 0) - 1;
        moves += before && a->file != before->file;
        while (n < a->number) chain = chain_next(chain, ++n);
        if (a->chain != chain) return fail("the chain in memory is broken", a->number);
    }
    if (missing > 2 * moves + 2) return fail("console lines are missing", missing);
    const struct ack *last = &acks[total - 1];
    printf("last=%llu up=%.3f wall=%.3f pid=%d boot=%s moves=%zu missing=%zu longest_gap=%.3f stopped=%d\n",
           (unsigned long long)last->number, last->uptime, last->wall, last->pid, last->boot, moves, missing, last->gap,
           stopped);
    free(acks);
    return 0;
}
