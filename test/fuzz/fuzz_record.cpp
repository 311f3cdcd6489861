// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_record.cpp: a hostile peer's records, one after the other.
//
// The input is a stream of framed records. Each body is decoded by its type
// and must survive encoding; then the stream is given to a receiver and to a
// sender, whose jobs are run. The target must hold, for each extent that is
// called proven, what it held or what a digest of the peer's says.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "libteleport/migrate/disk_receiver.hpp"
#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/session/record_bodies.hpp"
#include "libteleport/wire/framer.hpp"
#include "test/support/memory_device.hpp"

namespace {

using namespace teleport;

constexpr std::size_t disk_bytes = 3 * block_bytes - 512;

class no_donors : public content_lookup {
 public:
  std::vector<donor_run> find_blocks(std::span<const block_digest>) override {
    return {};
  }
  std::optional<donor_extent> find_extent(const extent_digest&) override {
    return std::nullopt;
  }
  result<void> read_donor(donor_id,
                          std::uint64_t,
                          std::span<std::byte>) override {
    return error(errc::not_found, "no donors");
  }
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// What was decoded, encoded again, decodes to the same bytes.
void check_body(const raw_record& record) {
  for (const body_codec& codec : body_codecs()) {
    if (codec.form == body_form::json) {
      continue;  // fuzz_json_bodies
    }
    const auto once = codec.rewrite(record.body);
    require(codec.check(record.body).has_value() == once.has_value());
    if (!once) {
      require(once.error().code == errc::protocol);
      continue;
    }
    const auto again = codec.rewrite(*once);
    require(again.has_value() && *again == *once);
  }
}

/// Digests that the peer has named: the only content that may be written.
void collect(const raw_record& record, std::vector<extent_digest>& named) {
  if (const auto extents = decode_extents(record.body)) {
    for (const auto& digest : extents->digests) {
      named.push_back(digest.value_or(digest_extent(byte_buffer(disk_bytes))));
    }
  }
  if (const auto data = decode_extent_data(record.body)) {
    named.push_back(data->digest);
  }
}

void play_source(const std::vector<raw_record>& records) {
  memory_device target(byte_buffer(disk_bytes, std::byte{1}));
  no_donors lookup;
  block_unpacker unpacker;
  disk_receiver receiver({disk_bytes}, possession_probe::make());
  std::vector<extent_digest> named = {digest_extent(target.content())};
  bool going = true;
  for (const raw_record& record : records) {
    collect(record, named);
    going = going && receiver.on_record(record).has_value();
    while (auto action = going ? receiver.next() : std::nullopt) {
      auto* job = std::get_if<receiver_job>(&*action);
      if (job == nullptr) {
        continue;
      }
      auto done = do_receiver_job(
          std::move(*job), {{&target, false}}, lookup, unpacker);
      going = done.has_value();
      if (going) {
        receiver.on_job_done(std::move(*done));
      }
    }
  }
  require(std::ranges::count(named, digest_extent(target.content())) != 0);
}

void play_destination(const std::vector<raw_record>& records) {
  memory_device source(byte_buffer(disk_bytes, std::byte{2}));
  disk_sender sender({disk_bytes});
  block_packer packer;
  sender.start_bulk();
  std::size_t sent = 0;
  for (std::size_t i = 0; i <= records.size(); ++i) {
    while (auto action = sender.next()) {
      if (const auto* job = std::get_if<sender_job>(&*action)) {
        auto done = do_sender_job(*job, {{&source}}, packer);
        require(done.has_value());
        sender.on_job_done(std::move(*done));
      } else {
        ++sent;
      }
    }
    if (i == records.size() || !sender.on_record(records[i])) {
      break;
    }
  }
  // An announcement, digests, the blocks wanted, and all blocks: no more.
  require(sent <= 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  teleport::framer framer;
  framer.feed(std::as_bytes(std::span(data, size)));
  std::vector<raw_record> records;
  while (auto record = framer.next()) {
    if (!*record) {
      break;
    }
    check_body(**record);
    records.push_back(std::move(**record));
  }
  play_source(records);
  play_destination(records);
  return 0;
}
