// What the witness writes and what its judge expects: records, chain and blocks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_SIZE = 4096, RECORD_SIZE = 256 };

#define ACK_FORMAT "witness: ack %llu up %.3f wall %.3f pid %d boot %s chain %016llx longest-gap %.3f"


static inline uint64_t mix(uint64_t x) {  // the finaliser of splitmix64
    x ^= x >> 30, x *= 0xBF58476D1CE4E5B9ull;
    x ^= x >> 27, x *= 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

static inline uint64_t next_random(uint64_t *state) {
    return mix(*state += 0x9E3779B97F4A7C15ull);
}

static inline uint64_t chain_seed(const char *boot_id) {
    uint64_t seed = 0xCBF29CE484222325ull;
    for (; *boot_id; boot_id++) seed = mix(seed ^ (unsigned char)*boot_id);
    return seed;
}

static inline uint64_t chain_next(uint64_t chain, uint64_t number) {
    return mix(chain ^ number);
}

static inline uint64_t text_sum(const char *text, size_t size) {
    uint64_t sum = size;
    while (size--) sum = mix(sum ^ (unsigned char)*text++);
    return sum;
}

// One line of RECORD_SIZE bytes: numbers, padding, the sum of all before it.
static inline void format_record(char *record, uint64_t number, double uptime, int pid, const char *boot_id,
                                 uint64_t chain) {
    enum { BODY = RECORD_SIZE - 17 };
    int length = snprintf(record, BODY, "record %llu up %.3f pid %d boot %s chain %016llx ",
                          (unsigned long long)number, uptime, pid, boot_id, (unsigned long long)chain);
    memset(record + length, '.', (size_t)(BODY - length));
    snprintf(record + BODY, 17 + 1, "%016llx\n", (unsigned long long)text_sum(record, BODY));
}

// A block that no compressor shrinks: its number, its generation and what follows from them.
static inline uint64_t block_state(uint64_t number, uint64_t generation) {
    return mix(number * 0x100000001B3ull ^ generation << 40 ^ generation);
}

static inline void fill_block(uint64_t *words, uint64_t number, uint64_t generation) {
    uint64_t state = block_state(number, generation);
    words[0] = number, words[1] = generation;
    for (int i = 2; i < BLOCK_SIZE / 8; i++) words[i] = next_random(&state);
}

static inline bool block_is_valid(const uint64_t *words, uint64_t number, uint64_t generation) {
    uint64_t state = block_state(number, generation);
    if (words[0] != number || words[1] != generation) return false;
    for (int i = 2; i < BLOCK_SIZE / 8; i++)
        if (words[i] != next_random(&state)) return false;
    return true;
}

static inline bool block_is_zero(const uint64_t *words) {
    for (int i = 0; i < BLOCK_SIZE / 8; i++)
        if (words[i] != 0) return false;
    return true;
}

// verify.c; each returns the exit status
int verify_records(int count, char **arguments);
int verify_churn(const char *path);
int verify_console(int count, char **paths);
