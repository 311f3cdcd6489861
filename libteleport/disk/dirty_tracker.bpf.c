// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/dirty_tracker.bpf.c: the tracker's half inside the kernel:
// marks what is written to one disk.
//
// A write is marked when it is submitted (always exact), is kept in a table of
// pending writes until it is finished, and is marked once more then. The other
// half (dirty_tracker.cpp) takes the marks and marks again what is pending, so
// a completion that was not seen costs a second copy and never a block.
//
// No single tracepoint is enough. Between its submission and its end a write may
// or may not be on the disk: a reader that took the mark in between may have read
// the old content, so the end marks it again. A mark at the end alone would be
// missing while the new content can already be read.
//
// Runs on the tracepoints' own terms: any context, interrupts included; no
// locks of ours, atomic operations only.

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// The helpers used here are open to GPL programs only; section 3 of the LGPL
// lets this file be used under the GPL.
char LICENSE[] SEC("license") = "GPL";

// The few kernel structures that are read. Only names count: where the fields
// lie is looked up in the running kernel's own type information at load time
// (CO-RE), so nothing of the building machine's kernel goes in.
#pragma clang attribute push(__attribute__((preserve_access_index)), \
                             apply_to = record)

struct gendisk {
  int major;
  int first_minor;
};

struct block_device {
  struct gendisk* bd_disk;
};

struct bvec_iter {
  __u64 bi_sector;
  __u32 bi_size;
};

struct bio {
  struct bio* bi_next;
  struct block_device* bi_bdev;
  __u32 bi_opf;
  struct bvec_iter bi_iter;
  void* bi_private;
  __u8 bi_status;
};

struct blk_mq_ops;

struct request_queue {
  struct gendisk* disk;
  struct blk_mq_ops* mq_ops;
};

struct request {
  struct request_queue* q;
  __u32 cmd_flags;
  __u64 __sector;
  struct bio* bio;
};

#pragma clang attribute pop

// enum req_op, the same since 4.8.
enum { operation_mask = 0xff, operation_discard = 3 };
// BLK_STS_AGAIN, the same since 4.13: a write that may not wait would have to.
enum { status_again = 12 };

// A write that was submitted and whose end was not seen yet.
// dirty_tracker.cpp has its copy.
struct pending_write {
  __u64 sector;  // of the whole disk
  __u64 bytes;
  __s64 bytes_left;  // parts of a split write end one by one
  __u64 serial;      // tells two writes at the same address apart
};

// Set before loading.
const volatile __u32 disk_number = 0;   // major << 20 | minor of the whole disk
const volatile __u64 first_sector = 0;  // of the window that is tracked
const volatile __u64 sector_count = 0;
const volatile __u32 grain_shift = 3;  // sectors of a mark, as a power of two

// Read by the other half. Each only ever grows.
__u64 submitted_sectors;  // of all writes to the whole disk
__u64 submitted_writes;
// Of those, sectors of writes that ended before the driver had them: the kernel
// does not count them.
__u64 refused_sectors;
__u64 refused;  // writes of which it cannot be told whether it counts them
__u64 reused;   // a pending write's address came again: its end was missed
__u64 insert_failed;  // the table was full or locked: marks may be incomplete
__u64 strike_failed;  // an ended write could not be taken off the table
__u64 unpaired;       // a write ended whose begin was not seen
__u64 sectors_left;   // count_left's answer

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);  // set before loading
  __type(key, __u32);
  __type(value, __u64);
} marks SEC(".maps");

// For a tracker that outlives its process (standing_tracker.cpp): marks that
// were taken and not yet served, and what its owner wants to remember.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1);  // set before loading
  __type(key, __u32);
  __type(value, __u64);
} taken SEC(".maps");

struct note {
  __u8 bytes[512];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct note);
} notes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 32768);  // seen at most: 512, a queue's depth
  __type(key, __u64);
  __type(value, struct pending_write);
} pending SEC(".maps");

/// Marks 64 grains: every bit of one word.
static long mark_word(__u32 index, void* first_word) {
  __u32 key = *(__u32*)first_word + index;
  __u64* word = bpf_map_lookup_elem(&marks, &key);
  if (!word) {
    return 1;
  }
  __sync_fetch_and_or(word, ~0ULL);
  return 0;
}

static __always_inline void mark_bits(__u32 key, __u64 bits) {
  __u64* word = bpf_map_lookup_elem(&marks, &key);
  if (word) {
    // Without asking first: the locked operation is also the barrier.
    __sync_fetch_and_or(word, bits);
  }
}

/// Marks the part of a range of the whole disk that lies in our window.
static __noinline int mark_range(__u64 sector, __u64 bytes) {
  __u64 end = sector + ((bytes + 511) >> 9);
  if (end > first_sector + sector_count) {
    end = first_sector + sector_count;
  }
  if (sector < first_sector) {
    sector = first_sector;
  }
  if (sector >= end) {
    return 0;
  }
  __u64 first = (sector - first_sector) >> grain_shift;
  __u64 last = (end - 1 - first_sector) >> grain_shift;
  __u32 first_word = first >> 6;
  __u32 last_word = last >> 6;
  __u64 head = ~0ULL << (first & 63);
  __u64 tail = ~0ULL >> (63 - (last & 63));
  if (first_word == last_word) {
    mark_bits(first_word, head & tail);
    return 0;
  }
  mark_bits(first_word, head);
  mark_bits(last_word, tail);
  __u32 between = first_word + 1;
  if (between < last_word) {
    bpf_loop(last_word - between, mark_word, &between, 0);
  }
  return 0;
}

static __always_inline __u32 number_of(struct gendisk* disk) {
  return (__u32)disk->major << 20 | (__u32)disk->first_minor;
}

/// In all kernels every odd operation changes data, and no even one does.
static __always_inline bool changes_data(__u32 flags) {
  return flags & 1;
}

SEC("tp_btf/block_bio_queue")
int BPF_PROG(on_submit, struct bio* bio) {
  __u64 bytes = bio->bi_iter.bi_size;
  if (!changes_data(bio->bi_opf) || bytes == 0 ||
      number_of(bio->bi_bdev->bd_disk) != disk_number) {
    return 0;
  }
  __u64 key = (__u64)bio;
  struct pending_write* old = bpf_map_lookup_elem(&pending, &key);
  if (old) {
    mark_range(old->sector, old->bytes);
    __sync_fetch_and_add(&reused, 1);
  }
  struct pending_write write = {
      .sector = bio->bi_iter.bi_sector,
      .bytes = bytes,
      .bytes_left = bytes,
      .serial = __sync_fetch_and_add(&submitted_writes, 1),
  };
  if (bpf_map_update_elem(&pending, &key, &write, BPF_ANY) != 0) {
    __sync_fetch_and_add(&insert_failed, 1);
  }
  // After the table: whoever takes the mark finds the entry.
  mark_range(write.sector, bytes);
  __sync_fetch_and_add(&submitted_sectors, bytes >> 9);
  return 0;
}

static __always_inline void strike_off(__u64 key) {
  // Refused when this interrupts another change of the same part of the table.
  if (bpf_map_delete_elem(&pending, &key) != 0) {
    __sync_fetch_and_add(&strike_failed, 1);
  }
}

/// A write that ended as a bio. Where there are request queues no request was
/// made of it, or of the rest of it that was not split off before: a write that
/// may not wait (REQ_NOWAIT) found no place. A device that takes bios as they
/// are may have counted a write that was refused below it, or not.
static __always_inline void end_whole(struct request_queue* queue,
                                      struct bio* bio,
                                      struct pending_write* write) {
  __u64 bytes = bio->bi_iter.bi_size;
  if (queue->mq_ops) {
    if (bytes > write->bytes) {
      bytes = write->bytes;
    }
    __sync_fetch_and_add(&refused_sectors, bytes >> 9);
  } else if (bio->bi_status == status_again) {
    __sync_fetch_and_add(&refused, 1);
  }
}

/// Ends of writes on devices that take bios as they are (device mapper, md).
/// The range that the event tells is not to be trusted: of a write that was
/// split it is the last part only.
SEC("tp_btf/block_bio_complete")
int BPF_PROG(on_bio_end, struct request_queue* queue, struct bio* bio) {
  __u64 key = (__u64)bio;
  struct pending_write* write = bpf_map_lookup_elem(&pending, &key);
  if (write) {
    if (number_of(bio->bi_bdev->bd_disk) == disk_number) {
      end_whole(queue, bio, write);
    }
    mark_range(write->sector, write->bytes);
    strike_off(key);
    return 0;
  }
  __u64 bytes = bio->bi_iter.bi_size;
  if (!changes_data(bio->bi_opf) || bytes == 0 ||
      number_of(bio->bi_bdev->bd_disk) != disk_number) {
    return 0;
  }
  key = (__u64)bio->bi_private;
  if (!bpf_map_lookup_elem(&pending, &key)) {
    mark_range(bio->bi_iter.bi_sector, bytes);
    __sync_fetch_and_add(&unpaired, 1);
  }
  return 0;
}

struct chain_walk {
  __u64 bio;
  __u64 left;
  __u32 is_discard;
};

/// One bio of a finished request: settles its entry, or that of the bio which
/// it was split from.
static long end_one(__u32 index, void* context) {
  struct chain_walk* walk = context;
  struct bio* bio = (struct bio*)walk->bio;
  if (!bio || walk->left == 0) {
    return 1;
  }
  __u64 bytes = BPF_CORE_READ(bio, bi_iter.bi_size);
  if (bytes > walk->left) {
    bytes = walk->left;
  }
  if (walk->is_discard) {
    mark_range(BPF_CORE_READ(bio, bi_iter.bi_sector), bytes);
  }
  __u64 key = walk->bio;
  struct pending_write* write = bpf_map_lookup_elem(&pending, &key);
  if (!write) {
    key = (__u64)BPF_CORE_READ(bio, bi_private);
    write = bpf_map_lookup_elem(&pending, &key);
  }
  if (!write) {
    __sync_fetch_and_add(&unpaired, 1);
  } else if (__sync_fetch_and_add(&write->bytes_left, -(__s64)bytes) <=
             (__s64)bytes) {
    mark_range(write->sector, write->bytes);
    strike_off(key);
  }
  walk->left -= bytes;
  walk->bio = (__u64)BPF_CORE_READ(bio, bi_next);
  return 0;
}

/// Ends of writes on devices with request queues (disks, loop, NVMe).
SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_request_end, struct request* rq, int status, __u32 bytes) {
  if (!changes_data(rq->cmd_flags) || bytes == 0 ||
      number_of(rq->q->disk) != disk_number) {
    return 0;
  }
  struct chain_walk walk = {
      .bio = (__u64)rq->bio,
      .left = bytes,
      .is_discard = (rq->cmd_flags & operation_mask) == operation_discard,
  };
  // A request of several discards tells their first sector and their sum.
  if (!walk.is_discard) {
    mark_range(rq->__sector, bytes);
  }
  bpf_loop(1024, end_one, &walk, 0);
  return 0;
}

/// Adds what is left to do of one pending write. A device that takes bios as
/// they are splits a large one from its front, and keeps the rest of it in the
/// same bio.
static long add_left(void* map,
                     __u64* key,
                     struct pending_write* write,
                     void* sum) {
  struct bio* bio = (struct bio*)*key;
  __u64 bytes = BPF_CORE_READ(bio, bi_iter.bi_size);
  *(__u64*)sum += (bytes < write->bytes ? bytes : write->bytes) >> 9;
  return 0;
}

/// Called by the other half while the device lets nothing through.
SEC("syscall")
int count_left(void* context) {
  __u64 sum = 0;
  bpf_for_each_map_elem(&pending, add_left, &sum, 0);
  sectors_left = sum;
  return 0;
}
